"""Correct a resource's usage in three steps: choose the time, mend its events, look at the money and say why."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.gates import StaffRequest, staff
from core import clock, databases
from core.errors import Invalid, VaultError
from core.forms import blame, written
from insights import moving
from insights.forms import MOST_BY_HAND, EventForm, EventRows, EventTable, RecordForm, WindowForm, said
from insights.moving import ChangedMeanwhile
from usage import amended, restating
from usage.addresses import resource_url
from usage.amended import Told
from usage.amending import Amending, Correction

PREFIX: Final = "events"
SPARE: Final = 2  # empty rows below the events that are there
MORE: Final = 5
_PLACE: Final = re.compile(r"events\[(\d+)\](?:\.(\w+))?")


@require_http_methods(["GET", "HEAD", "POST"])
@staff("usage.edit")
def amend(request: StaffRequest) -> HttpResponse:
    """Each step is a page of its own that carries what was entered; nothing is stored before the last."""
    if request.method != "POST":
        return _choose(request)
    window = WindowForm(request.POST)
    rows = EventTable(request.POST, prefix=PREFIX)
    step = request.POST.get("step", "")
    if not window.is_valid():
        return render(request, "usage/amend.html", {"window": window})
    if step in ("more", "edit") or not rows.is_valid():
        return _table(request, window, _longer(request, rows) if step == "more" else rows)
    return _decide(request, window, rows, record=step == "record")


def _choose(request: StaffRequest) -> HttpResponse:
    """The first step, or the second when the window is in the address."""
    if "end" not in request.GET:
        now = clock.database_now(databases.usage()).replace(microsecond=0)
        initial = {"resource": request.GET.get("resource", ""), "start": now - timedelta(days=1), "end": now}
        return render(request, "usage/amend.html", {"window": WindowForm(initial=initial)})
    window = WindowForm(request.GET)
    if not window.is_valid():
        return render(request, "usage/amend.html", {"window": window})
    given = window.cleaned_data
    known = amended.told(given["resource"], given["start"], given["end"], meter=given["meter"])
    counting = [event for event in known if event.counts]
    if len(counting) > MOST_BY_HAND - SPARE:
        window.add_error("end", f"More than {MOST_BY_HAND - SPARE} events; choose a shorter time, or use the API.")
        return render(request, "usage/amend.html", {"window": window})
    data: dict[str, Any] = {f"{PREFIX}-TOTAL_FORMS": len(counting) + SPARE, f"{PREFIX}-INITIAL_FORMS": 0}
    for place, event in enumerate(counting):
        data |= {f"{PREFIX}-{place}-{name}": value for name, value in _row(event).items()}
    return _table(request, window, EventTable(data, prefix=PREFIX))


def _row(event: Told) -> dict[str, Any]:
    told = {name: getattr(event, name) for name in ("type", "product", "meter", "component", "app", "account")}
    return told | {"time": written(event.time), "quantity": "" if event.quantity is None else f"{event.quantity:f}"}


def _longer(request: StaffRequest, rows: EventRows) -> EventRows:
    data = request.POST.copy()
    data[f"{PREFIX}-TOTAL_FORMS"] = str(min(rows.total_form_count() + MORE, MOST_BY_HAND))
    return EventTable(data, prefix=PREFIX)


def _table(request: StaffRequest, window: WindowForm, rows: EventRows) -> HttpResponse:
    context = {"window": window, "rows": rows, "asked": window.cleaned_data, "back": _back(window)}
    return render(request, "usage/amend_events.html", context)


def _back(window: WindowForm) -> str:
    return resource_url(window.cleaned_data["resource"])


def _decide(request: StaffRequest, window: WindowForm, rows: EventRows, *, record: bool) -> HttpResponse:
    """Show the money, or record what was shown."""
    given, (told, lines) = window.cleaned_data, said(rows)
    form = RecordForm(request.POST if record else None)
    actor = request.user.actor
    try:
        events = restating.events(given["resource"], told, meter=given["meter"])
        corrections = [Correction(given["resource"], given["start"], given["end"], events, given["meter"])]
        if record and form.is_valid():
            change = Amending(corrections, form.cleaned_data["reason"])
            try:
                made, _ = moving.carry_out(change, actor=actor, token=form.cleaned_data["token"])
            except ChangedMeanwhile as error:
                blame(form, error)
            else:
                messages.success(request, f"Amendment {made.amendments[0]} is recorded.")
                return redirect("usage_amendment", made.amendments[0])
        moved = moving.preview(Amending(corrections, "preview"), actor=actor)
    except VaultError as error:
        _blame(window, lines, error)
        if window.errors.keys() - {NON_FIELD_ERRORS}:  # only the first step can mend it
            return render(request, "usage/amend.html", {"window": window})
        return _table(request, window, rows)
    context = {"window": window, "rows": rows, "asked": given, "back": _back(window)}
    return render(request, "usage/amend_preview.html", context | {"events": events, "moved": moved, "form": form})


def _blame(window: WindowForm, rows: Sequence[EventForm], error: VaultError) -> None:
    """Show a mistake where it was made: in its row, at its field, else above the window."""
    place = _PLACE.fullmatch(error.field) if isinstance(error, Invalid) else None
    if place and int(place[1]) < len(rows):
        row = rows[int(place[1])]
        row.add_error(place[2] if place[2] in row.fields else None, str(error).removeprefix(f"events[{place[1]}]: "))
        return
    blame(window, error)
