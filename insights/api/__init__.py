"""The app's API under /api/v1/."""
