"""What people do with an invoice: adjust a draft, take back part of an issued one; always with a reason."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.gates import StaffRequest, staff
from billing import adjusting, credit_notes, finding
from billing.credit_notes import Correction
from billing.forms.invoices import AddLineForm, ChangeLineForm, Reasoned, TakeBackForm
from billing.models import Invoice, InvoiceLine, InvoiceStatus
from core import clock, formatting
from core.errors import VaultError
from core.forms import blame

confirmed = require_http_methods(["GET", "HEAD", "POST"])


@confirmed
@staff("invoices.adjust")
def add_line(request: StaffRequest, key: str) -> HttpResponse:
    """Add a line to a draft."""
    found = finding.invoice(key)

    def do(given: dict[str, Any]) -> str:
        line = adjusting.add_line(found.pk, actor=request.user.actor, **given)
        return f"{line.description} was added."

    consequence = f"Adds a line to the draft for {found.account} and computes its sums anew.{_approval(found)}"
    return _answer(request, found, "Add a line", consequence, AddLineForm(request.POST or None), do)


@confirmed
@staff("invoices.adjust")
def change_line(request: StaffRequest, key: str, line: int) -> HttpResponse:
    """Charge another amount for a line of a draft."""
    found = finding.invoice(key)
    row = finding.line(found, line)

    def do(given: dict[str, Any]) -> str:
        adjusting.change_line(row.pk, actor=request.user.actor, **given)
        return f"{row.description} was changed."

    form = ChangeLineForm(request.POST or None, initial={"amount": formatting.amount(row.amount, found.currency)})
    consequence = f"Charges another amount than {_amount(row)} for {row.description}.{_approval(found)}"
    return _answer(request, found, "Change a line", consequence, form, do)


@confirmed
@staff("invoices.adjust")
def waive_line(request: StaffRequest, key: str, line: int) -> HttpResponse:
    """Charge nothing for a line of a draft."""
    found = finding.invoice(key)
    row = finding.line(found, line)

    def do(given: dict[str, Any]) -> str:
        adjusting.waive_line(row.pk, actor=request.user.actor, **given)
        return f"{row.description} was waived."

    consequence = f"Charges nothing instead of {_amount(row)} for {row.description}; the line stays.{_approval(found)}"
    return _answer(request, found, "Waive a line", consequence, Reasoned(request.POST or None), do)


@confirmed
@staff("invoices.credit")
def take_back(request: StaffRequest, key: str) -> HttpResponse:
    """Take back parts of an issued invoice: less is owed, and what was paid already becomes a credit."""
    found = finding.invoice(key)
    form = TakeBackForm(request.POST or None, lines=_left(found))

    def do(given: dict[str, Any]) -> str:
        correction = credit_notes.issue(
            found.pk, form.amounts(), reason=given["reason"], actor=request.user.actor, on=clock.today()
        )
        return _taken_back(correction)

    how = (
        "The invoice is paid: the credit note, which is mailed, becomes a credit that the next invoices use."
        if found.status == InvoiceStatus.PAID
        else "Issues a credit note with its share of the tax, which is mailed and lowers what is outstanding"
        f" ({formatting.amount_with_currency(found.outstanding, found.currency)}); what exceeds that was paid already"
        " and becomes a credit that the next invoices use."
    )
    consequence = f"{how} The invoice itself never changes."
    return _answer(request, found, "Take back", consequence, form, do, "billing/invoice_take_back.html")


def _answer(
    request: StaffRequest,
    found: Invoice,
    title: str,
    consequence: str,
    form: forms.Form,
    do: Callable[..., str],
    template: str = "billing/invoice_action.html",
) -> HttpResponse:
    """Show the form with what it will do, or do it and go back to the invoice."""
    back = f"/invoices/{found.number or found.pk}/"
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, do(form.cleaned_data))
        except VaultError as error:
            blame(form, error)
        else:
            return redirect(back)
    context = {"invoice": found, "title": title, "consequence": consequence, "form": form, "back": back}
    return render(request, template, context)


def _left(found: Invoice) -> list[tuple[InvoiceLine, Decimal]]:
    """Lines with what of each can still be taken back."""
    left = credit_notes.left_of(found)
    return [(row, left[row.pk]) for row in found.lines.order_by("position") if left[row.pk] > 0]


def _taken_back(correction: Correction) -> str:
    note = correction.note
    said = f"Credit note {note.number} over {formatting.amount_with_currency(note.total, note.currency)} was issued."
    if not note.granted:
        return said
    return f"{said} A credit of {formatting.amount_with_currency(note.granted, note.currency)} was given."


def _amount(row: InvoiceLine) -> str:
    return formatting.amount_with_currency(row.amount, row.invoice.currency)


def _approval(found: Invoice) -> str:
    """What a change does to the run's approval."""
    if found.run is None or not found.run.approved_by:
        return ""
    return " The run was approved for what it was: somebody has to approve it again."
