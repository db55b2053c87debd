"""An invoice as files: its PDF, its lines, a credit note, and how a draft would look."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import StaffRequest, staff
from billing import finding
from billing.documents import pdf as printing
from billing.documents import rendering
from billing.models import CreditNote, Invoice
from core.downloads import csv_download
from core.errors import NotFound

LINE_COLUMNS = (
    "position",
    "kind",
    "app",
    "product",
    "component",
    "description",
    "quantity",
    "unit",
    "unit_amount",
    "amount",
    "unrounded",
    "usage",
    "resources",
    "period_start",
    "period_end",
    "inputs_hash",
)


@require_safe
@staff("invoices.view")
def pdf(request: StaffRequest, key: str) -> HttpResponse:
    """The document of an issued invoice, as stored or printed this moment."""
    found = finding.invoice(key)
    return pdf_answer(rendering.content(found), str(found))


@require_safe
@staff("invoices.view")
def credit_note(request: StaffRequest, number: str) -> HttpResponse:
    """The document of a credit note."""
    note = CreditNote.objects.select_related("invoice").filter(number=number).first()
    if note is None:
        raise NotFound(f"There is no credit note {number:.60}.")
    return pdf_answer(rendering.credit_note_content(note), note.number)


@require_safe
@staff("invoices.view")
def lines(request: StaffRequest, key: str) -> StreamingHttpResponse:
    """Every line as CSV, with what it was made of."""
    found = finding.invoice(key)
    return csv_download(
        f"{_name(found)}-lines", LINE_COLUMNS, found.lines.order_by("position").values_list(*LINE_COLUMNS)
    )


@require_safe
@staff("invoices.view")
def preview(request: StaffRequest, key: str) -> HttpResponse:
    """The document on screen; a draft says that it is one, and is stored nowhere."""
    found = finding.invoice(key)
    context = {"invoice": found, "document": rendering.snapshot(found), "back": f"/invoices/{key}/"}
    return render(request, "documents/preview.html", context)


@require_POST
@staff("accounts.edit")
def print_again(request: StaffRequest, key: str, document: int) -> HttpResponse:
    """Try a document again that workers gave up."""
    found = finding.invoice(key)
    paper = found.documents.filter(pk=document).first()
    if paper is None:
        raise NotFound(f"Invoice {found} has no such document.")
    rendering.print_again(paper.pk)
    messages.success(request, "It is being printed again.")
    return redirect("invoice", key)


def pdf_answer(content: bytes, name: str) -> HttpResponse:
    """Answer with a PDF that is saved under its number."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return HttpResponse(content, content_type=printing.MEDIA_TYPE, headers=headers)


def _name(found: Invoice) -> str:
    return found.number or f"draft-{found.pk}"
