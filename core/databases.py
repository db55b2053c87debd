"""Which database a model lives in: the usage store may leave the books' database."""

from typing import Any

from django.conf import settings


def usage() -> str:
    """Return the alias of the usage store: its own when configured, else the books'."""
    return "usage" if "usage" in settings.DATABASES else "default"


class UsageRouter:
    """Send models of ``usage`` to the usage store and everything else to the books."""

    def db_for_read(self, model: type, **hints: Any) -> str:
        return usage() if model._meta.app_label == "usage" else "default"  # type: ignore[attr-defined]

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == (usage() if app_label == "usage" else "default")
