"""Find events among millions: by who, what, where and when, a page at a time, in bounded work."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import Invalid
from core.fields import moment
from usage import places, searching
from usage.models import Event, EventType, Source
from usage.places import EARLIEST, LATEST, NEWER, OLDER, Place
from usage.searching import Question

FILTERS: Final = (*searching.NAMES, "from", "to")
MOST_EXPORTED: Final = 100_000
EXPORT_PAGE: Final = 2_000
COLUMNS: Final = (
    "id", "source_id", "event_id", "type", "time", "resource", "product", "meter", "component", "app", "account",
    "quantity", "received_at", "amendment_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first, and the cursors of the pages beside this one (empty: there is none).

    With ``reached`` the search stopped at that moment because it had read much and found little; the cursor of its
    direction goes on from there.
    """

    events: list[Event]
    older: str = ""
    newer: str = ""
    reached: datetime | None = None


def question(asked: Mapping[str, str]) -> Question:
    """Read the filters, empty ones being none; raise Invalid, naming the field, when one cannot be read."""
    texts = {name: asked.get(name, "") for name in searching.NAMES}
    for name, text in texts.items():
        if "\0" in text:
            raise Invalid(f"{name} contains a NUL, which no text has.", field=name)
    if texts["type"] and texts["type"] not in EventType.values:
        raise Invalid("type is open, close, measured or gauge.", field="type")
    first = moment(asked["from"], "from") if asked.get("from") else EARLIEST
    last = moment(asked["to"], "to") if asked.get("to") else LATEST
    return Question(**texts, first=first, last=last)


def page(asked: Question, *, cursor: str = "", size: int) -> Page:
    """Return at most ``size`` matching events: the newest, or those beyond the ``cursor`` that another page gave.

    An account's events are those of what it owned at their time, as believed now, and an app's those of its
    resources; of an account or an app that owns nothing, those that name it.
    """
    place = places.read(cursor)
    found = searching.find(asked, place, size + 1)
    events, more = _events(found.rows[:size]), len(found.rows) > size
    onward = _beyond(events[-1:], place.direction) if more else ""
    if found.reached is not None:
        onward = str(Place(place.direction, found.reached, 0))
    if place.direction == NEWER:
        return Page(events[::-1], older=_beyond(events[:1], OLDER), newer=onward, reached=found.reached)
    back = "" if place is places.BEGINNING else _beyond(events[:1], NEWER)
    return Page(events, older=onward, newer=back, reached=found.reached)


def export(asked: Question) -> Iterator[Event]:
    """Yield matching events, newest first; MOST_EXPORTED at most, and one more as the sign that others follow."""
    cursor, left = "", MOST_EXPORTED + 1
    while left:
        found = page(asked, cursor=cursor, size=min(EXPORT_PAGE, left))
        yield from found.events
        left -= len(found.events)
        if not (cursor := found.older):
            return


def _beyond(events: list[Event], direction: str) -> str:
    return str(Place(direction, events[0].time, events[0].pk)) if events else ""


def _events(rows: list[tuple[Any, ...]]) -> list[Event]:
    """Return rows as events that know their sources without asking for each."""
    sources = Source.objects.in_bulk({row[1] for row in rows})
    events = [Event.from_db(None, COLUMNS, row) for row in rows]
    for event in events:
        event.source = sources[event.source_id]
    return events
