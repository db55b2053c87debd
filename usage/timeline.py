"""Spans and moments of one resource as tracks of one picture. Pure: its ends and what still runs are parameters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

TICKS: Final = 4  # into how many parts the scale is divided
LONG: Final = timedelta(days=4)  # from here on a scale says days, else times of day
LEAST: Final = Decimal("0.4")  # percent: what is shorter is still seen


@dataclass(frozen=True, slots=True)
class Bar:
    """A span within the picture: where it begins and how wide it is, in percent of the picture's width."""

    left: Decimal
    width: Decimal
    start: datetime
    end: datetime | None


class Mark(NamedTuple):
    """Something to be drawn: a span, or a moment when ``end`` is its ``start``. ``faint``: it does not count."""

    start: datetime
    end: datetime | None
    title: str
    faint: bool = False
    href: str = ""

    @property
    def is_moment(self) -> bool:
        return self.end == self.start


@dataclass(frozen=True, slots=True)
class Track:
    """One row of the picture: what it is, and its marks with their places."""

    kind: str
    label: str
    marks: Sequence[tuple[Mark, Bar]]


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole: its ends, the lines of its scale as (place in percent, words), and its tracks."""

    first: datetime
    last: datetime
    ticks: Sequence[tuple[Decimal, str]]
    tracks: Sequence[Track]


def picture(rows: Iterable[tuple[str, str, Sequence[Mark]]], now: datetime) -> Picture | None:
    """Return tracks of (kind, label, marks) on one scale; None when there is nothing to be drawn."""
    drawn = [(kind, label, marks) for kind, label, marks in rows if marks]
    if not drawn:
        return None
    ends = extent([(mark.start, mark.end) for _, _, marks in drawn for mark in marks], now)
    tracks = [
        Track(kind, label, [(mark, bar(mark.start, mark.end, ends)) for mark in sorted(marks)])
        for kind, label, marks in drawn
    ]
    return Picture(*ends, ticks(ends), tracks)


def ticks(ends: tuple[datetime, datetime]) -> list[tuple[Decimal, str]]:
    """Divide the picture's scale evenly."""
    first, last = ends
    step = (last - first) / TICKS
    form = "%d %b %Y" if last - first >= LONG else "%d %b %H:%M"
    return [(Decimal(100 * n) / TICKS, f"{first + n * step:{form}}") for n in range(TICKS + 1)]


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
    return Bar(left, max(width, LEAST), start, end)


def _percent(part: timedelta, whole: timedelta) -> Decimal:
    micro = timedelta(microseconds=1)
    return (Decimal(part // micro) * 100 / Decimal(whole // micro)).quantize(Decimal("0.01"))
