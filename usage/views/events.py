"""The events explorer: any event that was ever taken in, by what one knows of it."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, Final

import msgspec
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from core.downloads import csv_download
from core.errors import Invalid
from core.money import plain
from core.periods import Month
from usage import archives, exploring
from usage.forms import EventFilter
from usage.models import Event
from usage.searching import Question

SHOWN: Final = 50
EXPORT: Final = "exports.download"
COLUMNS: Final = (
    "id", "source", "type", "time", "resource", "product", "meter", "component", "app", "account", "quantity",
    "received_at",
)  # fmt: skip


@require_safe
@staff("usage.view")
def events(request: StaffRequest) -> HttpResponse:
    """Events, newest first; ``cursor`` goes on where a page ended, as fast on the last page as on the first."""
    form = EventFilter(request.GET)
    page, mistake, archived = exploring.Page([]), "", list[Month]()
    try:
        asked = _question(form)
        page = exploring.page(asked, cursor=request.GET.get("cursor", ""), size=SHOWN)
        archived = archives.within(asked.first, asked.last)
    except Invalid as error:
        mistake = str(error)
    context = {"form": form, "page": page, "mistake": mistake, "archived": archived}
    context["may_export"] = has(request.user, EXPORT)
    return render(request, "usage/events.html", context, status=400 if mistake else 200)


@require_safe
@staff(EXPORT)
def export(request: StaffRequest, form: str) -> HttpResponse | StreamingHttpResponse:
    """The same events as a file, streamed: CSV for a spreadsheet, NDJSON for a program."""
    found = exploring.export(_question(EventFilter(request.GET)))
    if form == "csv":
        return csv_download("events", COLUMNS, _rows(found))
    headers = {"Content-Disposition": 'attachment; filename="events.ndjson"'}
    return StreamingHttpResponse(_lines(found), content_type="application/x-ndjson", headers=headers)


def _rows(found: Iterator[Event]) -> Iterator[list[Any]]:
    for event in islice(found, exploring.MOST_EXPORTED):
        yield [_value(event, name) for name in COLUMNS]
    if next(found, None) is not None:
        yield [_cut_short(), *[""] * (len(COLUMNS) - 1)]


def _lines(found: Iterator[Event]) -> Iterator[bytes]:
    for event in islice(found, exploring.MOST_EXPORTED):
        said = {name: _value(event, name) for name in COLUMNS}
        said["quantity"] = None if event.quantity is None else plain(event.quantity)
        yield msgspec.json.encode(said) + b"\n"
    if next(found, None) is not None:
        yield msgspec.json.encode({"cut_short": _cut_short()}) + b"\n"


def _value(event: Event, name: str) -> Any:
    if name in ("time", "received_at"):
        return getattr(event, name).isoformat().replace("+00:00", "Z")  # to the microsecond
    return {"id": event.event_id, "source": event.source.name}.get(name, getattr(event, name))


def _cut_short() -> str:
    return f"Only the newest {exploring.MOST_EXPORTED:,} events are here; ask for a shorter time to get the others."


def _question(form: EventFilter) -> Question:
    """Return what the form asks for, days being turned into the moments that bound them."""
    form.is_valid()
    given = form.cleaned_data
    asked = {name: given[name] for name in exploring.FILTERS if isinstance(given.get(name), str)}
    if given.get("since"):
        asked["from"] = f"{given['since']}T00:00:00Z"
    if given.get("until"):
        asked["to"] = f"{given['until'] + timedelta(days=1)}T00:00:00Z"
    return exploring.question(asked)
