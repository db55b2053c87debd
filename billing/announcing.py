"""News of invoices for the programs that listen: what was issued, and what is paid."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts.webhooks.publishing import News, publish
from accounts.webhooks.topics import INVOICE_ISSUED, INVOICE_PAID
from billing.models import Invoice, InvoiceStatus
from core.money import round_to_minor_unit

FIELDS = (
    "number", "account_id", "account__code", "currency", "period_start", "period_end", "issued_on", "due_on", "status",
    "subtotal", "credits", "tax", "total", "outstanding",
)  # fmt: skip
AMOUNTS = ("subtotal", "credits", "tax", "total", "outstanding")


def on_invoices_issued(payload: Mapping[str, Any]) -> None:
    """Tell that invoices were issued, and of those that owe nothing that they are paid. Repeatable."""
    found = list(_rows(payload["invoice_ids"]))
    publish(INVOICE_ISSUED, map(_news, found))
    publish(INVOICE_PAID, map(_news, (row for row in found if row["status"] == InvoiceStatus.PAID)))


def paid(invoice_id: int) -> None:
    """Tell that nothing of an invoice is outstanding any more, in the transaction that settles it. Told once."""
    publish(INVOICE_PAID, map(_news, _rows([invoice_id])))


def _rows(invoice_ids: Sequence[int]) -> Iterable[dict[str, Any]]:
    return Invoice.objects.issued().filter(pk__in=invoice_ids).order_by("pk").values(*FIELDS)


def _news(row: Mapping[str, Any]) -> News:
    """Say an invoice as the API does; amounts are decimal strings."""
    currency = row["currency"]
    data = {
        "number": row["number"],
        "account": row["account__code"],
        "currency": currency,
        "period_start": row["period_start"].isoformat(),
        "period_end": row["period_end"].isoformat(),
        "issued_on": row["issued_on"].isoformat(),
        "due_on": row["due_on"].isoformat(),
        "status": row["status"],
    }
    amounts = {name: str(round_to_minor_unit(row[name], currency)) for name in AMOUNTS}
    return News(row["number"], row["account_id"], data | amounts)
