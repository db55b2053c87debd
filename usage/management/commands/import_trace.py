"""Send a production platform's month through the intake."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand, month
from core.errors import VaultError
from usage import importing_trace


class Command(VaultCommand):
    help = "Send the production trace through the intake, as if it had begun with a month. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="platform-trace-2025.csv.gz, zipped or not")
        parser.add_argument("--month", required=True, metavar="YYYY-MM", help="the month the trace begins with")
        parser.add_argument("--base-url", default="", help="send over HTTP, e.g. http://127.0.0.1:8000")

    def handle(self, *args: Any, **options: Any) -> None:
        found = importing_trace.import_trace(
            options["file"],
            month(options["month"]),
            base_url=options["base_url"],
            progress=lambda sent: self.progress(f"{sent:,} events sent"),
        )
        self.progress("")
        text = (
            f"{found['instances']:,} instances of {found['accounts']:,} applications in {found['month']}: "
            f"{found['accepted']:,} events accepted, {found['duplicate']:,} known already, "
            f"{found['conflict'] + found['rejected']:,} refused."
        )
        self.emit(found, text, options)
        if found["conflict"] + found["rejected"]:
            raise VaultError("Some events were refused; they are kept under Usage problems, with the reason.")
