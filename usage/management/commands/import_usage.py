"""Import a file of events as one of the sources."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand
from core.errors import VaultError
from usage import importing_usage, sources
from usage.importing_usage import KEPT

SHOWN = 20


class Command(VaultCommand):
    help = "Import events from CSV (with a heading) or NDJSON, plain or gzip, however old they are. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="the source they are reported by")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry = options["dry_run"]
        found = importing_usage.import_usage(
            options["file"],
            sources.find(options["source"]),
            dry_run=dry,
            progress=lambda done: self.progress(f"{done:,} events read"),
        )
        self.progress("")
        lines = [f"line {r['line']}: {r['code']}: {r['detail']}" for r in found.refusals[:SHOWN]]
        if found.refused > SHOWN:
            counts = ", ".join(f"{code} {count:,}" for code, count in sorted(found.reasons.items()))
            lines.append(f"… and {found.refused - SHOWN:,} more ({counts} in all); --json lists the first {KEPT:,}.")
        lines.append(
            f"{found.total:,} event{'s' * (found.total != 1)}: "
            f"{found.accepted:,} {'would be ' if dry else ''}accepted, "
            f"{found.duplicate:,} known already, {found.conflict:,} in conflict, {found.rejected:,} refused."
        )
        self.emit(asdict(found) | {"dry_run": dry}, "\n".join(lines), options)
        if found.refused:
            kept = "Nothing was stored." if dry else "They are kept under Usage problems, with the reason."
            raise VaultError(f"Some events {'would be' if dry else 'were'} refused. {kept}")
