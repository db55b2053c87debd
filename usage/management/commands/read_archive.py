"""Read an archived month of events from its file."""

import sys
from collections.abc import Iterable
from typing import Any

import msgspec
from django.core.management.base import CommandParser

from core.commands import VaultCommand, month
from core.downloads import csv_lines
from core.money import plain
from usage import archives
from usage.archive_file import Row, moment

COLUMNS = (
    "id", "source", "type", "time", "resource", "product", "meter", "component", "app", "account", "quantity",
    "received_at",
)  # fmt: skip


class Command(VaultCommand):
    help = "Print the events of an archived month, in order of resource and time."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="YYYY-MM")
        parser.add_argument("--resource", default="", help="of this resource only, which is quick")
        parser.add_argument("--format", choices=("csv", "ndjson"), default="csv")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = (_said(row) for row in archives.read(month(options["month"]), resource=options["resource"]))
        for line in _csv(rows) if options["format"] == "csv" else _ndjson(rows):
            sys.stdout.write(line)


def _said(row: Row) -> dict[str, Any]:
    """Return an event as the explorer exports it."""
    moments = {name: moment(getattr(row, name)).isoformat().replace("+00:00", "Z") for name in ("time", "received_at")}
    quantity = None if row.quantity is None else plain(row.quantity)
    said = row._asdict() | moments | {"id": row.event_id, "quantity": quantity}
    return {name: said[name] for name in COLUMNS}


def _csv(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    return csv_lines(COLUMNS, (list(row.values()) for row in rows))


def _ndjson(rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    return (msgspec.json.encode(row).decode() + "\n" for row in rows)
