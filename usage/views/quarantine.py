"""Decide about refused events: one with its raw body, or many at once after a look at what would become of them."""

from collections import Counter
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from core.errors import VaultError
from core.forms import blame
from usage import deciding
from usage.forms import DecideForm, QuarantineFilter, ReasonForm, ReplayForm
from usage.models import QuarantinedEvent, QuarantineState

EDIT: Final = "usage.edit"
LIST: Final = "/usage/problems/?tab=quarantine"


@require_http_methods(["GET", "HEAD", "POST"])
@staff("sources.view", to_write=EDIT)
def one(request: StaffRequest, identifier: int) -> HttpResponse:
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


@require_POST
@staff(EDIT)
def many(request: StaffRequest) -> HttpResponse:
    """Look at what would become of those chosen, or of all that the filter lets through; then send in, or discard."""
    keys = _chosen(request)
    form = DecideForm(request.POST)
    if not keys or not form.is_valid():
        messages.error(request, "Choose at least one event, and what to do with it.")
        return redirect(LIST)
    step, actor, given = request.POST.get("step", ""), request.user.actor, form.cleaned_data
    try:
        if step == "discard":
            done = deciding.discard(keys, actor=actor, reason=given["reason"])
            messages.success(request, f"{done:,} discarded; their bodies stay readable.")
            return redirect(LIST)
        if step == "replay":
            return _replay(request, keys, given)
        outcomes = deciding.try_many(keys, field=given["field"], value=given["value"])
    except VaultError as error:
        if step not in ("discard", "replay"):
            messages.error(request, str(error))
            return redirect(LIST)
        blame(form, error)
        outcomes = deciding.try_many(keys, field=given["field"], value=given["value"])
    groups = Counter((outcome.accepted, outcome.code) for outcome in outcomes)
    context = {
        "form": form, "keys": keys, "outcomes": outcomes[:50], "count": len(outcomes),
        "groups": [(accepted, code, count) for (accepted, code), count in groups.most_common()],
        "accepted": sum(outcome.accepted for outcome in outcomes),
    }  # fmt: skip
    return render(request, "usage/quarantine_many.html", context)


def _replay(request: StaffRequest, keys: list[int], given: dict[str, Any]) -> HttpResponse:
    done = deciding.replay_many(
        keys, field=given["field"], value=given["value"], actor=request.user.actor, reason=given["reason"]
    )
    accepted = sum(outcome.accepted for outcome in done)
    messages.success(request, f"{accepted:,} taken in.")
    if accepted < len(done):
        messages.warning(request, f"{len(done) - accepted:,} would be refused again and go on waiting.")
    return redirect(LIST)


def _chosen(request: StaffRequest) -> list[int]:
    """Return the rows that were ticked, or with ``all`` those that the list's filter lets through."""
    if "all" not in request.POST:
        return sorted({int(key) for key in request.POST.getlist("key") if key.isascii() and key.isdigit()})[: 10**4]
    form = QuarantineFilter(request.POST)
    given = form.cleaned_data if form.is_valid() else {}
    found = QuarantinedEvent.objects.filter(state=QuarantineState.WAITING)
    if given.get("code"):
        found = found.filter(code=given["code"])
    if given.get("source"):
        found = found.filter(source__name=given["source"])
    return list(found.order_by("received_at", "pk").values_list("pk", flat=True)[: deciding.MOST])
