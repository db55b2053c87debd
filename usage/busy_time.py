"""Which stretches of time to read for a page of events: only such as hold some, and never too many at once.

The totals per hour know where events are. So a page far back costs no more than the newest, a gap of years costs
nothing, and a filter that hardly anything matches is answered in bounded steps.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from core.sql import load
from usage import store
from usage.places import MICROSECOND

HOUR: Final = timedelta(hours=1)
FETCHED: Final = 200  # hours asked for at once
LARGEST: Final = 20_000  # events; a busier hour is read in pieces
SMALLEST: Final = 1_000  # events that are worth a question
Hour = tuple[datetime, int]


class Part(NamedTuple):
    """``[first, last)`` with about so many events in it."""

    first: datetime
    last: datetime
    events: int


def parts(
    first: datetime, last: datetime, *, forwards: bool, source: int | None, lean: Callable[[datetime], bool]
) -> Iterator[Part]:
    """Yield parts that cover every event of ``[first, last)``, in one direction of time, growing as it goes on.

    Hours that are ``lean`` hold hardly any of the events that were counted of them, and count as empty; with a source,
    only hours in which it sent something are covered.
    """
    hours = _hours(_whole(first), _whole(last + HOUR - MICROSECOND), forwards, source)
    weighed = ((hour, 0 if lean(hour) else events) for hour, events in hours)
    for part in _grown(weighed, forwards, together=source is None):
        clipped = Part(max(part.first, first), min(part.last, last), part.events)
        if clipped.first < clipped.last:
            yield clipped


def _whole(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _hours(first: datetime, last: datetime, forwards: bool, source: int | None) -> Iterator[Hour]:
    """Yield the hours in which events happened, with how many, folded or not."""
    with store.cursor() as cursor:
        named = {"first": first, "last": last, "source": source}
        unfolded: list[Hour] = cursor.execute(load("usage", "explore_unfolded").encode(), named).fetchall()
    unfolded.sort(reverse=not forwards)
    both = merge(_folded(first, last, forwards, source), unfolded, reverse=not forwards)
    for hour, found in groupby(both, key=lambda one: one[0]):
        yield hour, sum(events for _, events in found)


def _folded(first: datetime, last: datetime, forwards: bool, source: int | None) -> Iterator[Hour]:
    statement = load("usage", "explore_hours").format(order="asc" if forwards else "desc").encode()
    while first < last:
        with store.cursor() as cursor:
            named = {"first": first, "last": last, "source": source, "size": FETCHED}
            rows: Sequence[Hour] = cursor.execute(statement, named).fetchall()
        yield from rows
        if len(rows) < FETCHED:
            return
        first, last = (rows[-1][0] + HOUR, last) if forwards else (first, rows[-1][0])


def _grown(hours: Iterable[Hour], forwards: bool, together: bool) -> Iterator[Part]:
    """Join hours until a part is worth a question, twice as large each time, and cut hours that are too busy.

    ``together``: between two of the hours no event happened at all, so that a part may span the gap.
    """
    enough, held = SMALLEST, list[Part]()  # at most one is held, to be joined with the next
    for hour, events in hours:
        near = together or any(hour in (part.first - HOUR, part.last) for part in held)
        if held and (events > LARGEST or not near or held[0].events >= enough):
            yield held.pop()
            enough = min(enough * 2, LARGEST)
        if events > LARGEST:
            yield from _cut(hour, events, forwards)
        else:
            held = [_joined([*held, Part(hour, hour + HOUR, events)])]
    yield from held


def _joined(held: list[Part]) -> Part:
    first, last = min(part.first for part in held), max(part.last for part in held)
    return Part(first, last, sum(part.events for part in held))


def _cut(hour: datetime, events: int, forwards: bool) -> list[Part]:
    pieces = min(-(-events // LARGEST), 3600)
    edges = [hour + HOUR * n / pieces for n in range(pieces)] + [hour + HOUR]
    cut = [Part(start, end, events // pieces) for start, end in pairwise(edges)]
    return cut if forwards else cut[::-1]
