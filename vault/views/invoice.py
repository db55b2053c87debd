"""One invoice's whole story: what it says, how each amount came about, who changed it, what was sent and paid."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing import finding
from billing.documents import presenting, rendering
from billing.models import Document, Invoice, InvoiceLine, InvoiceStatus, LedgerEntry, LineKind
from collections_.models import Allocation, ChargeAttempt
from core import clock, formatting
from core.models import AuditEntry, Mail
from vault import story

LINES_PER_PAGE: Final = 200
STEPS_SHOWN: Final = 50
CORRECTABLE: Final = (InvoiceStatus.OPEN, InvoiceStatus.PAID)
VOIDABLE: Final = (InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE)


@require_safe
@staff("invoices.view")
def invoice(request: StaffRequest, key: str) -> HttpResponse:
    """The invoice by its number, or a draft by its key."""
    found = finding.invoice(key)
    notes = list(found.credit_notes.order_by("pk"))
    lines = Paginator(_lines(found), LINES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "invoice": found,
        "key": found.number or found.pk,
        "document": rendering.snapshot(found),
        "facts": _facts(found),
        "past_due": found.status == InvoiceStatus.OPEN and found.due_on is not None and found.due_on < clock.today(),
        "lines": lines,
        "blocks": [(title, list(rows)) for title, rows in groupby(lines, _block)],
        "credits": found.credit_applications.select_related("grant").order_by("pk"),
        "credit_notes": notes,
        "adjusted_by": InvoiceLine.objects.filter(adjusts=found).select_related("invoice").order_by("pk"),
        "attempts": ChargeAttempt.objects.filter(invoice=found).select_related("method").order_by("-pk"),
        "allocations": Allocation.objects.filter(invoice=found).select_related("payment").order_by("pk"),
        "postings": _postings(found, [note.pk for note in notes]),
        "documents": Document.objects.filter(invoice=found).select_related("credit_note").order_by("pk"),
        "mails": Mail.objects.filter(reference__in=[found.number, *(note.number for note in notes)]).order_by("-pk"),
        "happenings": story.tell(_entries(found)),
        "may_adjust": _is_draft(found) and has(request.user, "invoices.adjust"),
        "may_void": _is_untouched(found) and has(request.user, "invoices.credit"),
        "may_credit": found.status in CORRECTABLE and has(request.user, "invoices.credit"),
        "may_resend": has(request.user, "accounts.edit"),
    }
    return render(request, "billing/invoice.html", context)


def _is_draft(found: Invoice) -> bool:
    """Whether people may still change it; a shadow is only looked at."""
    return found.status == InvoiceStatus.DRAFT and not found.shadow


def _is_untouched(found: Invoice) -> bool:
    """Whether it is owed as a whole: nothing was paid, nothing taken back."""
    return found.status in VOIDABLE and not found.settled and not found.credited


def _facts(found: Invoice) -> list[tuple[str, Any]]:
    rate = f"{found.tax_name or 'Tax'} {formatting.quantity(found.tax_rate * 100)} %" if found.tax_rate else "None"
    return [
        ("Period (UTC)", f"{formatting.day(found.period_start)} up to {formatting.day(found.period_end)}"),
        ("Kind", found.get_kind_display()),
        ("Tax", rate),
        ("Sold by", found.sold_by.get("name") or found.seller.name),
        ("Billed to", found.bill_to.get("name") or found.account.name),
        ("Issued", formatting.day(found.issued_on) if found.issued_on else "not yet"),
        ("Numbered", formatting.moment(found.issued_at) if found.issued_at else ""),
        ("Hash of the lines", found.content_hash),
    ]


def _block(line: InvoiceLine) -> str:
    """What a line stands under: its app, or for what is not usage of the month, what it is."""
    if line.kind == LineKind.USAGE:
        return line.app or presenting.WITHOUT_APP
    if line.kind == LineKind.CONTRACT:
        return presenting.TERMS
    if line.kind == LineKind.MANUAL:
        return presenting.ADDITIONAL
    return f"Adjustments of {line.adjusts or formatting.month(line.period_start)}"


def _lines(found: Invoice) -> QuerySet[InvoiceLine]:
    """Lines in the order of the document, so that those of an app stand together."""
    return found.lines.select_related("adjusts").order_by("position")


def _postings(found: Invoice, notes: Sequence[int]) -> QuerySet[LedgerEntry]:
    """What the ledger says about this invoice, its credit notes and what was allocated to it."""
    allocated = Allocation.objects.filter(invoice=found).values("pk")
    about = (
        Q(transaction__source_type="invoice", transaction__source_id=found.pk)
        | Q(transaction__source_type="credit_note", transaction__source_id__in=notes)
        | Q(transaction__source_type="allocation", transaction__source_id__in=allocated)
    )
    entries = LedgerEntry.objects.filter(about).select_related("transaction")
    return entries.annotate(credit=-F("amount")).order_by("transaction_id", "-amount")


def _entries(found: Invoice) -> QuerySet[AuditEntry]:
    lines = [str(key) for key in found.lines.values_list("pk", flat=True)]
    about = Q(table="billing_invoice", row=str(found.pk)) | Q(table="billing_invoiceline", row__in=lines)
    return AuditEntry.objects.filter(about).order_by("-pk")[:STEPS_SHOWN]
