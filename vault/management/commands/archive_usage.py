"""Move old months of events to Parquet files."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from core import clock, databases
from core.commands import VaultCommand, month
from core.errors import Invalid
from core.periods import Month
from usage.archiving import Outcome
from vault import retention


class Command(VaultCommand):
    help = "Move a month of events (or, with --due, every month that is old enough) to a Parquet file. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", nargs="?", default="", help="YYYY-MM")
        parser.add_argument("--due", action="store_true", help="every month that may leave the store")
        parser.add_argument("--dry-run", action="store_true", help="say what would be moved and move nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.database_now(databases.usage())
        if bool(options["month"]) == options["due"]:
            raise Invalid("Name one month as YYYY-MM, or say --due.", field="month")
        months: list[Month] = retention.due(now) if options["due"] else [month(options["month"])]
        done = []
        for one in months:
            dry = options["dry_run"]
            done.append(retention.archive(one, by="system:archive_usage", now=now, dry_run=dry, progress=self.progress))
        self.progress("")
        lines = [_line(outcome, options["dry_run"]) for outcome in done] or ["No month is due."]
        self.emit({"months": [asdict(outcome) for outcome in done]}, "\n".join(lines), options)


def _line(outcome: Outcome, dry_run: bool) -> str:
    meters = ", ".join(f"{meter} {sums['events']:,}" for meter, sums in outcome.sums.items())
    if dry_run:
        return f"{outcome.month}: {outcome.rows:,} events would be written ({meters})."
    return (
        f"{outcome.month}: {outcome.rows:,} events are in its file ({outcome.size:,} bytes; {meters}); "
        f"{outcome.kept:,} of them stay in the store."
    )
