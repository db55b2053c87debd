"""Sources: who speaks and who does not; one source with everything that tells whether it can be trusted."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from core import clock
from core.keys import NewKey
from usage import sources, watching
from usage.forms import ReasonForm, RotateForm
from usage.models import Source

RECENT = 20
EDIT = "sources.edit"


@require_safe
@staff("sources.view")
def source_list(request: StaffRequest) -> HttpResponse:
    """Every source, those that need a person first."""
    context = {"watched": watching.sources(now=clock.now()), "may_edit": has(request.user, EDIT)}
    return render(request, "usage/sources.html", context)


@require_safe
@staff("sources.view")
def source(request: StaffRequest, name: str) -> HttpResponse:
    """One source: its contract, its secrets, how it has been speaking, and what it said last."""
    return page(request, sources.find(name))


def page(request: StaffRequest, one: Source, **shown: Any) -> HttpResponse:
    """Answer with a source's page; ``shown`` is a secret that was just made, or a form that was not right."""
    now = clock.now()
    hours = watching.hours(one, now=now)
    secret: NewKey | None = shown.get("secret")
    context = {
        "watched": watching.source(one, now=now),
        "source": one,
        "secret": secret,
        "now": now,
        "credentials": one.credentials.order_by("-created_at"),
        "arrivals": [(f"{hour.start:%d %b %H:00}", hour.events) for hour in hours],
        "lags": [(f"{hour.start:%d %b %H:00}", hour.lag_seconds) for hour in hours],
        "gaps": watching.gaps(one, hours, now=now),
        "batches": watching.batches(one, most=RECENT),
        "manifests": watching.stated(one, most=RECENT),
        "changes": watching.changes(one),
        "rotate_form": shown.get("rotate_form") or RotateForm(),
        "pause_form": shown.get("pause_form") or ReasonForm(),
        "may_edit": has(request.user, EDIT),
    }
    return render(request, "usage/source.html", context)
