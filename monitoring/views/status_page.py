"""The operators' page: workers, queue, database, mail, invariants, and what waits for a person."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.gates import staff
from core import clock
from monitoring import status, verifying


@require_safe
@staff("status.view")
def status_page(request: HttpRequest) -> HttpResponse:
    """Everything at one glance; refreshes itself by htmx while it is open."""
    template = "monitoring/_status.html" if request.headers.get("HX-Request") else "monitoring/status.html"
    return render(request, template, {"status": status.take(at=clock.now())})


@require_POST
@staff("status.view")
def verify_now(request: HttpRequest) -> HttpResponse:
    """Check every invariant now; the result is kept and shown."""
    findings = verifying.verify()
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        names = ", ".join(finding.invariant.name for finding in broken)
        messages.error(request, f"{len(broken)} of {len(findings)} invariants are broken: {names}.")
    else:
        messages.success(request, f"{len(findings)} invariants checked: all hold.")
    return redirect("status")
