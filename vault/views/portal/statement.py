"""The statement of account, by days, to read and to take away."""

from datetime import date

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import PortalRequest, customer
from core import clock
from core.downloads import amount, csv_download
from core.errors import Invalid
from core.periods import Month
from vault.statement import Entry, Statement, statement

EARLIEST = date(2000, 1, 1)


class StatementForm(forms.Form):
    since = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="Through", widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day lies before the first one.")
        elif since and since < EARLIEST:
            self.add_error("since", "Nothing was billed before 2000.")


@require_safe
@customer
def page(request: PortalRequest) -> HttpResponse:
    """The chosen days, or this and the eleven months before."""
    form = _form(request)
    found = _statement(request, form) if form.is_valid() else None
    return render(request, "portal/statement.html", {"form": form, "statement": found})


@require_safe
@customer
def export(request: PortalRequest) -> StreamingHttpResponse:
    """The same as CSV, with the opening and the closing balance as its first and last row."""
    form = _form(request)
    if not form.is_valid():
        raise Invalid("Choose the first and the last day of the statement on its page.", field="since")
    found = _statement(request, form)
    rows = [
        (found.since, "Opening balance", "", "", amount(found.opening, found.currency)),
        *(_row(entry, found.currency) for entry in found.entries),
        (found.until, "Closing balance", "", "", amount(found.closing, found.currency)),
    ]
    name = f"statement-{request.account.code}-{found.since}-{found.until}"
    return csv_download(name, ("date", "what", "reference", f"amount_{found.currency}", "balance"), rows)


def _row(entry: Entry, currency: str) -> tuple[date, str, str, str, str]:
    changed, balance = amount(entry.amount, currency), amount(entry.balance, currency)
    return entry.on, entry.what, entry.reference, changed, balance


def _form(request: PortalRequest) -> StatementForm:
    if request.GET:
        return StatementForm(request.GET)
    today, since = clock.today(), Month.containing(clock.today())
    for _ in range(11):
        since = since.previous
    return StatementForm({"since": since.first_day, "until": today})


def _statement(request: PortalRequest, form: StatementForm) -> Statement:
    return statement(request.account, since=form.cleaned_data["since"], until=form.cleaned_data["until"])
