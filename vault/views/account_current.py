"""What an account's running month comes to so far, fetched beside its page because pricing takes a moment."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import registering
from accounts.gates import StaffRequest, staff
from billing.current import current_usage
from core import clock
from vault.running_month import by_app


@require_safe
@staff("usage.view")
def current(request: StaffRequest, code: str) -> HttpResponse:
    """The card alone for htmx, a whole page for everybody else."""
    account = registering.find(code)
    usage = current_usage(account, as_of=clock.now())
    template = "accounts/_current.html" if request.headers.get("HX-Request") else "accounts/current.html"
    context = {"account": account, "part": "overview", "usage": usage, "apps": by_app(usage)}
    return render(request, template, context)
