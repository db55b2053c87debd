"""Charges: every try, what the bank answered, and mending those that were not answered."""

from typing import Final

import django_tables2 as tables
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions
from accounts.gates import StaffRequest, staff
from collections_ import reconciling, wording
from collections_.forms import ChargeFilter, ResolveForm
from collections_.models import AttemptOutcome, ChargeAttempt
from collections_.tables import ChargeTable
from collections_.views.worklist import tabs
from core import formatting
from core.errors import VaultError
from core.forms import blame

PER_PAGE: Final = 50
UNCLEAR: Final = (AttemptOutcome.SUBMITTING, AttemptOutcome.UNKNOWN, AttemptOutcome.MANUAL)


@require_safe
@staff("payments.view")
def charges(request: StaffRequest) -> HttpResponse:
    """Every try to charge, newest first."""
    form = ChargeFilter(request.GET)
    table = ChargeTable(_matching(form), order_by="-created_on")
    tables.RequestConfig(request, paginate={"per_page": PER_PAGE, "silent": True}).configure(table)
    return render(request, "collections/charges.html", {"form": form, "table": table, "tabs": tabs(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@staff("payments.view", to_write="collections.work")
def charge(request: StaffRequest, pk: int) -> HttpResponse:
    """One try; when it waits for a person, also the form that settles it."""
    found = get_object_or_404(ChargeAttempt.objects.select_related("invoice__account", "method"), pk=pk)
    may_work = permissions.has(request.user, "collections.work")
    form = ResolveForm(request.POST or None)
    if request.method == "POST" and may_work and form.is_valid():
        try:
            reconciling.resolve(pk, actor=request.user.actor, **form.cleaned_data)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, "The charge is settled as you found it.")
            return redirect("charge", pk)
    context = {
        "attempt": found,
        "facts": _facts(found),
        "form": form if may_work and found.outcome == AttemptOutcome.MANUAL else None,
        "may_ask": may_work and found.outcome in UNCLEAR,
    }
    return render(request, "collections/charge.html", context)


@require_POST
@staff("collections.work")
def ask(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask the gateway about an unclear charge at once."""
    asked = reconciling.ask_now(pk, actor=request.user.actor)
    messages.info(request, f"The charge is {wording.OUTCOMES[asked.outcome]}.")
    return redirect("charge", pk)


def _facts(attempt: ChargeAttempt) -> list[tuple[str, str]]:
    return [
        ("Outcome", wording.OUTCOMES[attempt.outcome].capitalize()),
        ("Why", wording.why(attempt.decline_code, attempt.decline_class)),
        ("Card", str(attempt.method)),
        ("Asked for by", wording.actor(attempt.requested_by)),
        ("For the step", attempt.step.replace("_", " ")),
        ("Sent", formatting.moment(attempt.submitted_at) if attempt.submitted_at else ""),
        ("Answered", formatting.moment(attempt.answered_at) if attempt.answered_at else ""),
        ("Key at the gateway", attempt.key),
        ("Charge at the gateway", attempt.gateway_charge_id),
        ("Captured there", _captured(attempt)),
        ("Settled by a person", attempt.resolution),
        ("Last trouble", attempt.last_error),
    ]


def _captured(attempt: ChargeAttempt) -> str:
    return formatting.amount_with_currency(attempt.captured, attempt.captured_currency) if attempt.captured else ""


def _matching(form: ChargeFilter) -> QuerySet[ChargeAttempt]:
    """The charges that the filter asks for; whatever of it cannot be read narrows nothing."""
    form.is_valid()
    chosen = form.cleaned_data
    found = ChargeAttempt.objects.select_related("invoice__account")
    if text := chosen.get("q", "").strip():
        found = found.filter(
            Q(invoice__account__code__icontains=text)
            | Q(invoice__account__name__icontains=text)
            | Q(invoice__number__icontains=text)
        )
    if outcome := chosen.get("outcome"):
        found = found.filter(outcome=outcome)
    if since := chosen.get("since"):
        found = found.filter(created_on__gte=since)
    if until := chosen.get("until"):
        found = found.filter(created_on__lte=until)
    return found
