"""Hour by hour: what a source stated, what was received of it, and what became of every event in the usage store.

What rating and billing make of it is known uphill; ``placed`` says for which account, product and month to ask.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

from core.errors import Invalid
from core.fields import moment
from core.periods import Span
from core.sql import load
from usage import effective, store
from usage.manifests import HOUR
from usage.models import Source
from usage.reported import DURATION, utc

PAIRED: Final = "paired"
LONGEST: Final = timedelta(days=31)
AHEAD: Final = timedelta(days=1)  # no clock of a source may run further ahead than this
LATEST: Final = timedelta(days=366)  # how long after its time a refused event is still looked for
Cell = tuple[int, datetime, str]  # source (row), hour, meter


class Placed(NamedTuple):
    """Events of one cell that share their fate. ``account`` is empty when nobody owned them.

    ``place`` is paired, waiting (for pairing), a pairing problem's kind, amended (they gave way to a correction), or
    forgotten (which must not be).
    ``known_by`` is the earliest of the cut-offs asked about that they were received before; None: after them all.
    """

    source: int
    hour: datetime
    meter: str
    place: str
    account: str
    product: str
    month: datetime
    known_by: datetime | None
    events: int
    quantity: Decimal

    @property
    def cell(self) -> Cell:
        return self.source, self.hour, self.meter


class Behind(NamedTuple):
    """Events of one resource in one hour that share their fate: when the first and the last happened, and when the
    latest was received."""

    resource: str
    placed: Placed
    first: datetime
    last: datetime
    received: datetime


def hours(first: datetime, last: datetime) -> Span:
    """Return whole hours around ``[first, last)``; raise Invalid when that is nothing or too much."""
    start = first.replace(minute=0, second=0, microsecond=0)
    end = -((start - last) // HOUR) * HOUR + start
    if start >= end:
        raise Invalid("to must be after from.", field="to")
    if end - start > LONGEST:
        raise Invalid(f"At most {LONGEST.days} days at once; ask for a shorter time.", field="to")
    return Span(start, end)


def placed(span: Span, sources: Sequence[int], cutoffs: Sequence[datetime]) -> list[Placed]:
    """Return where every event of ``span`` of some sources (rows) stands, counted from the events themselves.

    ``cutoffs`` are in order.
    """
    marks: list[datetime | None] = [*cutoffs, None]
    with store.cursor() as cursor:
        rows = cursor.execute(_statement("reconcile_events"), _named(span, sources, cutoffs)).fetchall()
    return [Placed._make((*row[:7], marks[row[7] - 1], *row[8:])) for row in rows]


def behind(span: Span, source: int, meter: str, cutoffs: Sequence[datetime], *, most: int) -> list[Behind]:
    """Return what became of the events of an hour of one source, resource by resource, at most ``most`` rows.

    What is not paired comes first. An empty ``meter`` means every meter.
    """
    marks: list[datetime | None] = [*cutoffs, None]
    named = _named(span, [source], cutoffs) | {"meter": meter, "most": most}
    with store.cursor() as cursor:
        rows = cursor.execute(_statement("reconcile_hour"), named).fetchall()
    return [Behind(row[0], Placed._make((*row[1:8], marks[row[8] - 1], *row[9:11])), *row[11:]) for row in rows]


def _named(span: Span, sources: Sequence[int], cutoffs: Sequence[datetime]) -> dict[str, Any]:
    return {
        "first": span.start,
        "last": span.end,
        "sources": list(sources),
        "cutoffs": list(cutoffs),
        "cutoff": effective.NOW,
    }


@cache
def _statement(name: str) -> bytes:
    """Return a statement with where events stand, and of these which count, put in."""
    where = load("usage", "placed").replace("{effective}", load("usage", "effective"))
    return load("usage", name).replace("{placed}", where).encode()


def refused(span: Span, sources: Sequence[int]) -> Counter[Cell]:
    """Count the events of ``span`` that are in quarantine, waiting or discarded, as far as their bodies tell a time."""
    named = {"since": span.start - AHEAD, "until": span.end + LATEST, "sources": list(sources)}
    with store.cursor() as cursor:
        rows = cursor.execute(load("usage", "reconcile_refused").encode(), named).fetchall()
    found: Counter[Cell] = Counter()
    for source, text, meter, events in rows:
        hour = _hour(text)
        if hour is not None and span.start <= hour < span.end:
            found[source, hour, meter or DURATION] += events
    return found


def _hour(text: str | None) -> datetime | None:
    try:
        return utc(moment(text, "time")).replace(minute=0, second=0, microsecond=0)
    except (OverflowError, Invalid):
        return None


def chosen(name: str) -> list[Source]:
    """Return the source of that name, or every source for an empty name; raise Invalid for an unknown one."""
    if not name:
        return list(Source.objects.order_by("name"))
    found = [] if "\0" in name else list(Source.objects.filter(name=name))
    if not found:
        raise Invalid("There is no source of that name.", field="source")
    return found
