"""``manage.py export_focus YYYY-MM``: one month's cost and usage in the FOCUS 1.0 columns, as CSV on stdout."""

import csv
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand, month
from insights import focus


class Command(VaultCommand):
    help = "Write one month's issued lines as FOCUS 1.0 rows (CSV)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", help="YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        writer = csv.DictWriter(self.stdout, focus.COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(focus.rows(month(options["month"])))
