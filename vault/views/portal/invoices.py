"""A customer's invoices: the list, each one as it is printed, its PDF, and paying it."""

from typing import Any

import django_tables2 as tables
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import PortalRequest, customer, owner
from billing.documents import rendering
from billing.models import Invoice, InvoiceStatus
from collections_ import charging
from collections_.models import AttemptOutcome, ChargeAttempt
from core import clock
from core.downloads import amount, csv_download
from core.tables import AmountColumn, DayColumn, MonthColumn, StatusColumn, VaultTable


class PortalInvoiceTable(VaultTable):
    noun = "invoice"
    empty = "No invoice yet. The first one comes when the running month is over."
    number = tables.Column(linkify=("portal_invoice", {"number": tables.A("number")}))
    period_start = MonthColumn(verbose_name="Month")
    status = StatusColumn()
    issued_on = DayColumn(verbose_name="Issued")
    due_on = DayColumn(verbose_name="Due")
    total = AmountColumn()
    outstanding = AmountColumn(accessor="owed", order_by="outstanding")


@require_safe
@customer
def invoices(request: PortalRequest) -> HttpResponse:
    """All issued invoices, newest first."""
    table = PortalInvoiceTable(Invoice.objects.issued().filter(account=request.account), order_by="-period_start")
    tables.RequestConfig(request, paginate={"per_page": 24, "silent": True}).configure(table)
    return render(request, "portal/invoices.html", {"table": table})


@require_safe
@customer
def invoice(request: PortalRequest, number: str) -> HttpResponse:
    """One invoice by the same presenter that prints it."""
    found = _find(request, number)
    context: dict[str, Any] = {
        "invoice": found,
        "document": rendering.snapshot(found),
        "allocations": found.allocations.select_related("payment").order_by("pk"),
        "credit_notes": found.credit_notes.order_by("pk"),
        "may_pay": request.is_owner and found.status == InvoiceStatus.OPEN,
    }
    return render(request, "portal/invoice.html", context)


@require_safe
@customer
def pdf(request: PortalRequest, number: str) -> HttpResponse:
    """The document itself, as stored; printed this moment when the worker has not come to it yet."""
    found = _find(request, number)
    headers = {"Content-Disposition": f'attachment; filename="{found.number}.pdf"'}
    return HttpResponse(rendering.content(found), content_type="application/pdf", headers=headers)


@require_safe
@customer
def lines(request: PortalRequest, number: str) -> StreamingHttpResponse:
    """Every line as CSV: for the invoices that are too long for paper, and for the customer's own books."""
    found = _find(request, number)
    columns = ("app", "product", "component", "description", "quantity", "unit", "unit_amount", "amount")
    lines = found.lines.order_by("position").values_list(*columns).iterator(chunk_size=2000)
    rows = ((*line, amount(charged, found.currency), found.currency) for *line, charged in lines)
    return csv_download(f"{found.number}-lines", (*columns, "currency"), rows)


@require_POST
@owner
def pay(request: PortalRequest, number: str) -> HttpResponse:
    """Charge what is outstanding to the card on file, and say how that went."""
    found = _find(request, number)
    attempt = charging.pay_now(found.pk, actor=request.user.actor, as_of=clock.today())
    _tell(request, attempt)
    return redirect("portal_invoice", number)


def _tell(request: PortalRequest, attempt: ChargeAttempt) -> None:
    if attempt.outcome == AttemptOutcome.SUCCEEDED:
        messages.success(request, f"Thank you. Invoice {attempt.invoice.number} is paid.")
    elif attempt.outcome == AttemptOutcome.DECLINED:
        messages.error(request, "Your bank declined the card. Use another card, or ask your bank why.")
    else:
        messages.warning(
            request, "The bank has not answered yet. We keep asking; do not pay again until it has answered."
        )


def _find(request: PortalRequest, number: str) -> Invoice:
    found = Invoice.objects.issued().filter(account=request.account, number=number).first()
    if found is None:
        raise Http404("There is no such invoice, or it is not yours.")
    return found
