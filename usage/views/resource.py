"""One resource over time: when it ran, on what, and who owned it, on one time line."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from core import clock
from usage import timeline
from usage.models import Event, Interval, Ownership, PairingProblem

SHOWN = 200  # intervals and ownerships of one resource that are drawn


@require_safe
@staff("usage.view")
def resource(request: StaffRequest, name: str) -> HttpResponse:
    """What is believed now as a picture, and everything that was believed before below it."""
    intervals = list(Interval.objects.filter(resource=name).order_by("-opened")[:SHOWN])
    ownerships = list(Ownership.objects.filter(resource=name).order_by("-start")[:SHOWN])
    events = list(Event.objects.select_related("source").filter(resource=name).order_by("-time", "-id")[:SHOWN])
    if not (intervals or ownerships or events):
        raise Http404("Nothing was ever reported of this resource.")
    problems = {found.event_id: found for found in PairingProblem.objects.filter(resource=name)}
    for event in events:
        event.problem = problems.get(event.pk)  # type: ignore[attr-defined]
    context = {
        "name": name,
        "rows": _rows(intervals, ownerships, clock.now()),
        "intervals": intervals,
        "ownerships": ownerships,
        "events": events,
        "superseded": any(i.superseded_at for i in intervals) or any(o.superseded_at for o in ownerships),
    }
    return render(request, "usage/resource.html", context)


def _rows(intervals: Sequence[Interval], ownerships: Sequence[Ownership], now: datetime) -> list[dict[str, Any]]:
    """Return the rows of the picture: a track for each product and one for each owner."""
    ran = [(f"{i.product} {i.component}".strip(), "ran", i.opened, i.closed) for i in intervals if not i.superseded_at]
    owned = [(o.account, "owned", o.start, o.end) for o in ownerships if not o.superseded_at]
    spans = [(start, end) for _, _, start, end in [*ran, *owned]]
    if not spans:
        return []
    ends = timeline.extent(spans, now)
    tracks: dict[tuple[str, str], list[timeline.Bar]] = {}
    for label, kind, start, end in sorted([*ran, *owned], key=lambda row: row[2]):
        tracks.setdefault((kind, label), []).append(timeline.bar(start, end, ends))
    ordered = sorted(tracks.items(), key=lambda track: track[0][0], reverse=True)
    return [{"label": label, "kind": kind, "bars": bars, "ends": ends} for (kind, label), bars in ordered]
