"""What a customer sees first: what is due, what this month comes to so far, and what was paid."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import PortalRequest, choose, customer
from billing.models import Invoice
from collections_.models import Payment
from core import clock
from vault.standing import standing

RECENT: Final = 6


@require_safe
@customer
def overview(request: PortalRequest) -> HttpResponse:
    """Due invoices first, each with its button; the running month is fetched beside it."""
    mine = Invoice.objects.issued().filter(account=request.account)
    context = {
        "standing": standing(request.account, as_of=clock.today()),
        "today": clock.today(),
        "due": mine.open().order_by("due_on", "pk"),
        "invoices": mine.order_by("-period_start", "-pk")[:RECENT],
        "payments": Payment.objects.filter(account=request.account).order_by("-received_on", "-pk")[:RECENT],
        "is_owner": request.is_owner,
    }
    return render(request, "portal/overview.html", context)


@require_POST
@customer
def switch(request: PortalRequest) -> HttpResponse:
    """Look at another of one's accounts."""
    choose(request, request.POST.get("account", ""))
    return redirect("portal")
