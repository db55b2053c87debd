"""Hour by hour: what a source stated, what was received of it, and what became of every event in the usage store.

What rating and billing make of it is known uphill; ``placed`` says for which account, product and month to ask.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from core.errors import Invalid
from core.fields import moment
from core.periods import Span
from core.sql import load
from usage import store
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

    ``place`` is paired, waiting (for pairing), a pairing problem's kind, or forgotten (which must not be).
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
    """Return where every event of ``span`` of some sources (rows) stands, counted from the events themselves."""
    named = {"first": span.start, "last": span.end, "sources": list(sources), "cutoffs": sorted(set(cutoffs))}
    with store.cursor() as cursor:
        return [Placed._make(row) for row in cursor.execute(load("usage", "reconcile_events").encode(), named)]


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
