"""Time that counts: how much of given intervals lies within a span, exactly and in UTC."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from core.errors import Invalid
from core.money import total
from core.periods import Span, exact_seconds

Interval = tuple[datetime, datetime]


def check_interval(opened: datetime, closed: datetime, path: str) -> Interval:
    """Return the half-open interval; one that ends before it begins raises Invalid. A zero length is allowed."""
    if closed < opened:
        sentence = f"{path} ends at {closed.isoformat()}, before it begins at {opened.isoformat()}."
        raise Invalid(sentence, field=path)
    return opened, closed


def clip(interval: Interval, span: Span) -> Span | None:
    """Return the part of a half-open interval that lies within ``span``; None when there is none."""
    start, end = max(interval[0], span.start), min(interval[1], span.end)
    return Span(start, end) if start < end else None


def seconds_within(intervals: Iterable[Interval], span: Span) -> Decimal:
    """Return the seconds of all intervals within ``span``; two that run side by side both count."""
    parts = (clip(interval, span) for interval in intervals)
    return total(exact_seconds(part.end - part.start) for part in parts if part)


def cut(span: Span, changes: Iterable[datetime]) -> list[Span]:
    """Split ``span`` at each change inside it; the parts meet without gap or overlap and sum to the whole."""
    inside = sorted({change for change in changes if span.start < change < span.end})
    edges = [span.start, *inside, span.end]
    return [Span(start, end) for start, end in pairwise(edges)]
