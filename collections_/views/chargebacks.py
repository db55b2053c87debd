"""The page that records what a bank took back of a payment."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.gates import StaffRequest, staff
from collections_ import charging_back
from collections_.forms import ChargebackForm
from collections_.models import Payment
from core import clock, formatting
from core.errors import VaultError
from core.forms import blame


@require_http_methods(["GET", "HEAD", "POST"])
@staff("collections.work")
def record(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask what the bank took back, say what that does, and record it."""
    found = get_object_or_404(Payment.objects.select_related("account"), pk=pk)
    left = formatting.amount(found.amount - found.refunded, found.currency)
    form = ChargebackForm(request.POST or None, initial={"amount": left, "taken_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            charging_back.record(pk, actor=request.user.actor, **form.cleaned_data)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, "The chargeback is recorded; what it had settled is owed again.")
            return redirect("payment", pk)
    context = {"payment": found, "form": form, "consequence": _consequence(found)}
    return render(request, "collections/chargeback.html", context)


def _consequence(found: Payment) -> str:
    settled = formatting.amount_with_currency(found.applied, found.currency)
    return (
        "Returns the money in the books: first what lies unapplied, then what it settled"
        f" ({settled}), newest invoice first. Those invoices are owed again and their collecting goes on; the card is"
        " never charged again. This cannot be undone: a dispute that is won is a new payment."
    )
