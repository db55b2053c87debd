"""The pages that give money back: ask for a refund, and decide on one that somebody else asked for."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import permissions
from accounts.gates import StaffRequest, staff
from collections_ import refunding
from collections_.forms import RefundForm
from collections_.models import Payment, RefundOutcome
from core import formatting
from core.errors import VaultError
from core.forms import blame


@require_http_methods(["GET", "HEAD", "POST"])
@staff("collections.work")
def ask(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask how much goes back and why, say what that does, and begin it."""
    found = get_object_or_404(Payment.objects.select_related("account"), pk=pk)
    left = found.amount - found.applied - found.refunded
    form = RefundForm(request.POST or None, initial={"amount": formatting.amount(left, found.currency)})
    if request.method == "POST" and form.is_valid():
        try:
            made = refunding.request(pk, actor=request.user.actor, **form.cleaned_data)
        except VaultError as error:
            blame(form, error)
        else:
            waits = made.outcome == RefundOutcome.REQUESTED
            messages.success(
                request, "It waits until somebody of finance decides." if waits else "The money goes back."
            )
            return redirect("payment", pk)
    unapplied = formatting.amount_with_currency(left, found.currency)
    alone = formatting.amount_with_currency(permissions.refund_limit(request.user), found.currency)
    consequence = (
        f"Returns money through the gateway to the card it came from. {unapplied} of this payment lie unapplied. Up to"
        f" {alone} go at once; above that somebody of finance decides."
    )
    return render(request, "collections/refund.html", {"payment": found, "form": form, "consequence": consequence})


@require_POST
@staff("credits.approve")
def approve(request: StaffRequest, pk: int) -> HttpResponse:
    """Let a refund go that somebody else asked for."""
    decided = refunding.approve(pk, actor=request.user.actor)
    messages.success(request, "The money goes back.")
    return redirect("payment", decided.payment_id)


@require_POST
@staff("credits.approve")
def refuse(request: StaffRequest, pk: int) -> HttpResponse:
    """Refuse a refund that somebody else asked for."""
    decided = refunding.refuse(pk, actor=request.user.actor, reason="refused")
    messages.success(request, "The refund is refused; the money stays unapplied.")
    return redirect("payment", decided.payment_id)


@require_POST
@staff("collections.work")
def again(request: StaffRequest, pk: int) -> HttpResponse:
    """Send a refund that waits for a person again, under its own key."""
    sent = refunding.try_again(pk, actor=request.user.actor)
    messages.info(request, "The gateway is asked again, under the same key.")
    return redirect("payment", sent.payment_id)
