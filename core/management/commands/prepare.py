"""What must be done before a new version may serve: migrations and the cache's table. The release step."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from core.commands import VaultCommand
from core.errors import Refused

OLDEST = 15


class Command(VaultCommand):
    help = "Migrate every database and create the cache's table; repeatable."

    def handle(self, *args: Any, **options: Any) -> None:
        for alias in settings.DATABASES:
            check_version(alias)
            call_command("migrate", database=alias, interactive=False, verbosity=options["verbosity"])
        call_command("createcachetable", verbosity=options["verbosity"])


def check_version(alias: str) -> None:
    """Raise Refused for a server older than what our SQL was written for."""
    connection: Any = connections[alias]
    connection.ensure_connection()
    found = connection.pg_version // 10_000
    if found < OLDEST:
        raise Refused(f"Vault needs PostgreSQL {OLDEST} or newer; the server of the {alias} database is {found}.")
