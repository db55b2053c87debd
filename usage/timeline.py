"""Spans of time as bars of one picture. Pure: the ends of the picture and what still runs are parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """A span within the picture: where it begins and how wide it is, in percent of the picture's width."""

    left: Decimal
    width: Decimal
    start: datetime
    end: datetime | None


def extent(spans: Sequence[tuple[datetime, datetime | None]], now: datetime) -> tuple[datetime, datetime]:
    """Return the ends of a picture that shows every span, and now when one still runs."""
    starts = [start for start, _ in spans]
    ends = [end or max(now, start) for start, end in spans]
    first, last = min(starts), max(ends)
    return first, max(last, first + timedelta(seconds=1))


def bar(start: datetime, end: datetime | None, ends: tuple[datetime, datetime]) -> Bar:
    """Return the bar of one span; one that still runs reaches the end of the picture, one too short to see is seen."""
    first, last = ends
    whole = last - first
    left = _percent(max(start, first) - first, whole)
    width = _percent(min(end or last, last) - max(start, first), whole)
    return Bar(left, max(width, Decimal("0.4")), start, end)


def _percent(part: timedelta, whole: timedelta) -> Decimal:
    micro = timedelta(microseconds=1)
    return (Decimal(part // micro) * 100 / Decimal(whole // micro)).quantize(Decimal("0.01"))
