"""The Python part of bin/up: one process that starts, supervises and stops everything."""

import os
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from core.commands import VaultCommand
from core.single import only_one
from vault.starting import HOST, Start


class Command(VaultCommand):
    help = "Start Vault: database, migrations, a demo month on the first start, then web and workers until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, default=8000, help="of 127.0.0.1 (default: 8000)")
        parser.add_argument("--no-serve", action="store_true", help="end after the demo month is closed and charged")
        parser.add_argument("--fresh", action="store_true", help="delete the embedded database and begin anew")

    def handle(self, *args: Any, **options: Any) -> None:
        start = Start(
            home=settings.HOME,
            port=options["port"],
            embedded=not os.environ.get("DATABASE_URL"),
            say=self._say,
        )
        os.environ.setdefault("VAULT_BASE_URL", f"http://{HOST}:{start.port}")  # what letters link to
        self.started_at = time.monotonic()
        with only_one(settings.HOME / "up.lock", "Vault"):
            start.check_port()
            if options["fresh"]:
                start.begin_anew()
            start.run(serve=not options["no_serve"])

    def _say(self, line: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.started_at:5.1f} s] {line}")
        self.stdout.flush()
