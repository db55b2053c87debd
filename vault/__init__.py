"""The project: settings, URLs and entry points. It composes the apps; nobody imports it."""
