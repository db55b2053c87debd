"""``manage.py demo``: build the demo platform through a running Vault, or show what it came to."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from core.commands import VaultCommand
from vault.demo import building, summary

NOT_BUILT = 3  # exit status of --summary before a demo was completed; bin/up asks by it


class Command(VaultCommand):
    help = "Build the demo: people, accounts, usage over HTTP, three closed months, charges. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--base-url", default=settings.BASE_URL, help="where Vault's web process listens")
        parser.add_argument("--summary", action="store_true", help="only show what the demo came to")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["summary"]:
            if building.finished_at() is None:
                sys.exit(NOT_BUILT)
        else:
            building.build(options["base_url"], self._say)
        found = summary.take(building.demo_month())
        self.emit(summary.as_json(found), summary.as_text(found, options["base_url"]), options)

    def _say(self, line: str) -> None:
        self.stderr.write(f"  {line}.")
