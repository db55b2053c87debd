"""``manage.py invoices``: one row per invoice of a month, for programs."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from billing.models import Invoice
from core.commands import VaultCommand
from core.money import round_to_minor_unit
from core.periods import Month

COLUMNS = ("account", "number", "period", "currency", "subtotal", "credits", "tax", "total", "status")
AMOUNTS = ("subtotal", "credits", "tax", "total")


class Command(VaultCommand):
    help = "List a month's invoices as JSON or CSV; amounts are decimal strings. Shadows are left out."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", help="the month, as YYYY-MM")
        parser.add_argument("--format", choices=("json", "csv"), default="json")

    def handle(self, *args: Any, **options: Any) -> None:
        found = rows(Month.parse(options["month"]))
        if options["format"] == "csv" and not options["json"]:
            writer = csv.DictWriter(self.stdout, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(found)
        else:
            self.stdout.write(json.dumps(list(found), indent=1, ensure_ascii=False))


def rows(month: Month) -> Iterator[dict[str, str | None]]:
    """Yield the month's invoices in order of account code; a draft has no number yet."""
    invoices = Invoice.objects.filter(period_start=month.first_day, shadow=False).select_related("account")
    for invoice in invoices.order_by("account__code", "pk").iterator(chunk_size=2000):
        amounts = {name: str(round_to_minor_unit(getattr(invoice, name), invoice.currency)) for name in AMOUNTS}
        yield {
            "account": invoice.account.code,
            "number": invoice.number,
            "period": str(month),
            "currency": invoice.currency,
            **amounts,
            "status": invoice.status,
        }
