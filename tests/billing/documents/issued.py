"""Issued invoices in the database, made as issuing makes them: draft, lines, number, then open."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import Account
from billing.documents.facts import InvoiceFacts, LineFacts
from billing.models import Invoice, InvoiceLine, InvoiceStatus, NumberSeries, ProductGroup, Seller
from billing.models.document import Document, DocumentKind
from core import audit, clock
from tests.billing.documents import samples

GROUP_CODES = {label: code for code, label in ProductGroup.choices}


def account(code: str = "civic-data", **more: Any) -> Account:
    """The account of the June invoice, or one like it."""
    values = {
        "name": samples.CUSTOMER.name,
        "address": samples.CUSTOMER.address,
        "country": "US",
        "email": "accounts@civic-data.example",
        "payment_terms_days": 14,
    } | more
    with audit.acting("system:tests"):
        return Account.objects.get_or_create(code=code, defaults=values)[0]


def draft(facts: InvoiceFacts | None = None, *, owner: Account | None = None) -> Invoice:
    """A draft invoice with the lines of ``facts``."""
    facts = facts or samples.invoice()
    with audit.acting("system:tests"):
        invoice = Invoice.objects.create(
            account=owner or account(),
            seller=Seller.objects.get(is_default=True),
            currency=facts.currency,
            period_start=facts.period_start,
            period_end=facts.period_end,
            subtotal=facts.subtotal,
            tax_name=facts.tax_name,
            tax_rate=facts.tax_rate,
            tax=facts.tax,
            total=facts.total,
        )
        InvoiceLine.objects.bulk_create(_lines(invoice, facts.lines))
    return invoice


def issue(facts: InvoiceFacts | None = None, *, owner: Account | None = None, on: date = date(2020, 7, 1)) -> Invoice:
    """An issued invoice with its waiting document."""
    with transaction.atomic(), audit.acting("system:tests"):
        invoice = draft(facts, owner=owner)
        series, _ = NumberSeries.objects.get_or_create(seller=invoice.seller, kind="invoice", year=on.year)
        series.last += 1
        series.last_on = on
        series.save()
        settled = InvoiceStatus.PAID if not invoice.total else InvoiceStatus.OPEN
        seller = invoice.seller
        Invoice.objects.filter(pk=invoice.pk).update(
            status=settled,
            number=f"{seller.code}-{on.year}-{series.last:06d}",
            issued_on=on,
            due_on=date(on.year, on.month, 15),
            issued_at=clock.database_now(),
            bill_to={
                "account": invoice.account.code,
                "name": invoice.account.name,
                "address": invoice.account.address,
                "country": invoice.account.country,
                "tax_id": invoice.account.tax_id,
                "email": invoice.account.email,
            },
            sold_by={"name": seller.name, "address": seller.address, "country": seller.country, "email": seller.email},
        )
        Document.objects.create(kind=DocumentKind.INVOICE, invoice=invoice)
    invoice.refresh_from_db()
    return invoice


def _lines(invoice: Invoice, lines: Iterable[LineFacts]) -> Iterable[InvoiceLine]:
    for position, line in enumerate(lines):
        yield InvoiceLine(
            invoice=invoice,
            position=position,
            kind=line.kind,
            app=line.app,
            product="web",
            group=GROUP_CODES[line.group],
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            unit_amount=line.unit_amount,
            amount=line.amount,
            rated=None if line.kind == "manual" else line.amount,
            unrounded=line.quantity * (line.unit_amount or Decimal(0)),
            period_start=line.start,
            period_end=line.end,
            reason=line.reason,
        )
