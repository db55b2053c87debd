"""The list of invoices, on the page and as a file."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import Invoice
from billing.tables.columns import AccountColumn
from core import clock
from core.tables import AmountColumn, DayColumn, MonthColumn, StatusColumn, VaultTable, badge

COLUMNS: Final = (
    "number",
    "account",
    "account_name",
    "month",
    "currency",
    "subtotal",
    "credits",
    "tax",
    "total",
    "outstanding",
    "status",
    "payment_status",
    "issued_on",
    "due_on",
)


def invoice_address(record: Invoice) -> str:
    """Return the page of an invoice: by its number, or while a draft by its key."""
    return f"/invoices/{record.number or record.pk}/"


class InvoiceTable(VaultTable):
    """Invoices with their accounts joined."""

    noun = "invoice"
    wide = True
    empty = "No invoice matches. Clear a filter to see more; drafts appear when a run is opened."
    number = tables.Column(linkify=invoice_address, empty_values=())
    account = AccountColumn(order_by="account__name")
    period_start = MonthColumn(verbose_name="Month", order_by=("period_start", "pk"))
    status = StatusColumn()
    payment_status = StatusColumn(verbose_name="Payment")
    issued_on = DayColumn(verbose_name="Issued")
    due_on = DayColumn(verbose_name="Due")
    total = AmountColumn()
    outstanding = AmountColumn(accessor="owed", order_by="outstanding")

    def render_number(self, record: Invoice) -> str:
        return record.number or "Draft"

    def render_payment_status(self, value: str, record: Invoice) -> SafeString | str:
        return "—" if record.payment_status == "none" else badge(record.payment_status)

    def render_due_on(self, value: date, record: Invoice, column: DayColumn) -> SafeString:
        shown = column.render(value)
        late = record.status == "open" and value < clock.today()
        return format_html("{} {}", shown, badge("past_due")) if late else shown


def export_rows(found: QuerySet[Invoice]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of COLUMNS, read in chunks."""
    for invoice in found.select_related("account").iterator(chunk_size=2000):
        yield (
            invoice.number or "",
            invoice.account.code,
            invoice.account.name,
            str(invoice.month),
            invoice.currency,
            invoice.subtotal,
            invoice.credits,
            invoice.tax,
            invoice.total,
            invoice.owed,
            invoice.status,
            invoice.payment_status,
            invoice.issued_on,
            invoice.due_on,
        )
