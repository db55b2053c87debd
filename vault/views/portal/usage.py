"""What the customer's running month comes to so far, by app, and where it is heading."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import PortalRequest, customer
from billing.current import current_usage
from core import clock
from vault.running_month import by_app


@require_safe
@customer
def usage(request: PortalRequest) -> HttpResponse:
    """The page; for htmx only the card of sums that the overview fetches."""
    current = current_usage(request.account, as_of=clock.now())
    template = "portal/_current.html" if request.headers.get("HX-Request") else "portal/usage.html"
    return render(request, template, {"usage": current, "apps": by_app(current)})
