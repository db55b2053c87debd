"""The page that voids an invoice: what it will do, why, and then it is done."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.gates import StaffRequest, staff
from billing import finding
from billing.models import Invoice
from collections_ import voiding
from collections_.forms import VoidForm
from core import clock, formatting
from core.errors import VaultError
from core.forms import blame


@require_http_methods(["GET", "HEAD", "POST"])
@staff("invoices.credit")
def void_invoice(request: StaffRequest, key: str) -> HttpResponse:
    """Void one issued invoice on which nothing was paid or credited."""
    found = finding.invoice(key)
    form, back = VoidForm(request.POST or None), f"/invoices/{found.number or found.pk}/"
    if request.method == "POST" and form.is_valid():
        try:
            voiding.void(found.pk, reason=form.cleaned_data["reason"], actor=request.user.actor, on=clock.today())
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{found} is void. The next run bills its usage again.")
            return redirect(back)
    context = {"invoice": found, "title": "Void", "consequence": _consequence(found), "form": form, "back": back}
    return render(request, "billing/invoice_action.html", context)


def _consequence(found: Invoice) -> str:
    amount = formatting.amount_with_currency(found.total, found.currency)
    credit = formatting.amount_with_currency(found.credits, found.currency)
    credits_ = f" Credits of {credit} that it took come back." if found.credits else ""
    return (
        f"Takes {found} over {amount} back as a whole: nothing of it is owed any more, and its posting is reversed. Its"
        f" number stays used.{credits_} The next run bills its usage again, as adjustments. This cannot be undone."
    )
