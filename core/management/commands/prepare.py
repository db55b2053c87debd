"""What must be done before a new version may serve: migrations and the cache's table. The release step."""

from typing import Any

from django.conf import settings
from django.core.management import call_command

from core.commands import VaultCommand


class Command(VaultCommand):
    help = "Migrate every database and create the cache's table; repeatable."

    def handle(self, *args: Any, **options: Any) -> None:
        for alias in settings.DATABASES:
            call_command("migrate", database=alias, interactive=False, verbosity=options["verbosity"])
        call_command("createcachetable", verbosity=options["verbosity"])
