"""What stands between usage and a bill, in four lists, and what a person can do about each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from core import clock
from core.errors import VaultError
from core.forms import blame
from core.periods import Month, Span
from core.tables import VaultTable
from usage import completeness, deciding
from usage.forms import PairingFilter, QuarantineFilter, ReasonForm, ReplayForm
from usage.models import Interval, PairingProblem, QuarantinedEvent, QuarantineState
from usage.tables import OldOpenTable, PairingTable, QuarantineTable, UnownedTable

OLD: Final = timedelta(days=60)  # how long something may run before it is worth a look
EDIT = "usage.edit"
Part = tuple[VaultTable, forms.Form | None]


@require_safe
@staff("sources.view")
def problems(request: StaffRequest) -> HttpResponse:
    """One list at a time; the others show how many they hold."""
    chosen = request.GET.get("tab", "quarantine")
    chosen = chosen if chosen in PARTS else "quarantine"
    table, form = PARTS[chosen](request)
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    context = {"table": table, "form": form, "tabs": _tabs(chosen), "about": ABOUT[chosen], "reset": f"?tab={chosen}"}
    return render(request, "usage/problems.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("sources.view", to_write=EDIT)
def quarantined(request: StaffRequest, identifier: int) -> HttpResponse:
    """One refused event with its raw body; an operator mends it and sends it in again, or discards it."""
    entry = deciding.find(identifier)
    discard = request.POST.get("decision") == "discard"
    form = ReplayForm(None if discard else request.POST or None, initial={"body": entry.body})
    reason = ReasonForm(request.POST if discard else None)
    context = {"entry": entry, "form": form, "reason": reason, "may_edit": has(request.user, EDIT)}
    if request.method != "POST" or not context["may_edit"]:
        return render(request, "usage/quarantined.html", context)
    valid: forms.Form = reason if discard else form
    if valid.is_valid():
        try:
            _decide(request, entry, valid.cleaned_data, discard=discard)
        except VaultError as error:
            blame(valid, error)
        else:
            return redirect("usage_problems")
    return render(request, "usage/quarantined.html", context)


def _decide(request: StaffRequest, entry: QuarantinedEvent, given: dict[str, Any], *, discard: bool) -> None:
    if discard:
        deciding.discard([entry.pk], actor=request.user.actor, reason=given["reason"])
        messages.success(request, f"Event {entry.event_id or entry.pk} is discarded; its body stays readable.")
        return
    deciding.replay(entry.pk, body=given["body"], actor=request.user.actor, reason=given["reason"])
    messages.success(request, f"Event {entry.event_id or entry.pk} was taken in.")


def _quarantine(request: StaffRequest) -> Part:
    form = QuarantineFilter({"state": QuarantineState.WAITING, **request.GET.dict()})
    found = QuarantinedEvent.objects.select_related("source")
    if form.is_valid():
        asked = {"code": "code", "source": "source__name", "state": "state"}
        found = found.filter(
            **{path: form.cleaned_data[name] for name, path in asked.items() if form.cleaned_data[name]}
        )
    return QuarantineTable(found, order_by="-received_at"), form


def _pairing(request: StaffRequest) -> Part:
    form = PairingFilter(request.GET)
    found = PairingProblem.objects.all()
    if form.is_valid():
        found = found.filter(**{name: value for name in ("kind", "resource") if (value := form.cleaned_data[name])})
    return PairingTable(found, order_by="-at"), form


def _unowned(request: StaffRequest) -> Part:
    """The running month and the one before, as known now."""
    now = clock.now()
    span = Span(Month.containing(now).previous.start, now)
    return UnownedTable(completeness.unowned(span, cutoff=now), order_by="-seconds"), None


def _old(request: StaffRequest) -> Part:
    return OldOpenTable(old_open(), order_by="opened", now=clock.now()), None


def old_open() -> QuerySet[Interval]:
    """Return the intervals that have been running for so long that their close may have been lost."""
    return Interval.objects.filter(superseded_at=None, closed=None, opened__lt=clock.now() - OLD)


PARTS: Final[dict[str, Callable[[StaffRequest], Part]]] = {
    "quarantine": _quarantine,
    "pairing": _pairing,
    "unowned": _unowned,
    "open": _old,
}
ABOUT: Final = {
    "quarantine": "Events that were refused, with what is wrong. Mend one and send it in again, or discard it.",
    "pairing": "Opens and closes that make no interval. Each goes by itself when the event that explains it arrives.",
    "unowned": "What was used in this month and the last while nobody owned it. Until somebody does, nobody is billed.",
    "open": "What has been running for more than 60 days. Most of it is right; a close that was lost is among it.",
}


def _tabs(chosen: str) -> list[dict[str, Any]]:
    waiting = QuarantinedEvent.objects.filter(state=QuarantineState.WAITING)
    counts = {
        "quarantine": waiting.count(),
        "pairing": PairingProblem.objects.count(),
        "unowned": None,  # counting it means looking for it
        "open": old_open().count(),
    }
    labels = {"quarantine": "Quarantine", "pairing": "Pairing", "unowned": "Unowned usage", "open": "Open for long"}
    return [
        {"label": labels[tab], "href": f"/usage/problems/?tab={tab}", "current": tab == chosen, "count": counts[tab]}
        for tab in PARTS
    ]
