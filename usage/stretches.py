"""One account's usage span by span, from one look at each of its intervals however many spans there are.

The question is the month close's (``usage.metering``), asked for the days of a month: there each interval meets each
span, which a bill can wait for and a page cannot. The answers are the same, and a test says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from core.exact import EXACT
from core.periods import Span
from usage import archives, effective, spreading, store
from usage.metering import UsageRow
from usage.spreading import Stretch

MICROSECOND: Final = timedelta(microseconds=1)


class Kind(NamedTuple):
    """Usage of one kind is priced together and stands on one line."""

    app: str
    product: str
    meter: str
    component: str


class KindUse(NamedTuple):
    """What was used of one kind in each span: seconds (times their level) or measured quantities.

    ``new`` counts per span the resources that no earlier span saw using this kind.
    """

    kind: Kind
    amounts: Sequence[Decimal]
    new: Sequence[int]


@dataclass(frozen=True, slots=True)
class Used:
    """An account's usage over ``spans``, which tile one stretch of time; ``coarse`` join some of them."""

    account: str
    spans: Sequence[Span]
    coarse: Sequence[Span]
    stretches: Mapping[Kind, Sequence[Stretch]]

    def rows(self) -> list[UsageRow]:
        """Return the usage of each coarse span as ``account_usage`` does, but for the hash over its inputs."""
        edges, bounds = _edges(self.spans), _bounds(self.spans, self.coarse)
        return [
            row
            for kind, stretches in sorted(self.stretches.items())
            for measured, of_sort in groupby(stretches, key=attrgetter("measured"))
            for row in self._rows(kind, measured, list(of_sort), edges, bounds)
        ]

    def _rows(
        self, kind: Kind, measured: bool, stretches: list[Stretch], edges: list[int], bounds: list[tuple[int, int]]
    ) -> Iterator[UsageRow]:
        before = spreading.used_before(stretches, edges)
        for number, (low, high) in enumerate(bounds):
            here = [stretch for stretch in stretches if stretch.first < high and stretch.last >= low]
            resources = sum(stretch.resources for stretch in here if stretch.since <= number)
            if resources:
                new = sum(stretch.new for stretch in here if stretch.first >= low)
                amount = EXACT.subtract(before[high], before[low])
                yield UsageRow(self.account, *kind, number, amount, measured, resources, new, "")

    def by_kind(self) -> Iterator[KindUse]:
        """Yield what was used of each kind, span by span."""
        edges = _edges(self.spans)
        for kind, stretches in self.stretches.items():
            new = [0] * len(self.spans)
            for stretch in stretches:
                new[stretch.first] += stretch.new
            yield KindUse(kind, spreading.per_span(spreading.used_before(stretches, edges)), new)


def used(account: str, spans: Sequence[Span], coarse: Sequence[Span], *, cutoff: datetime) -> Used:
    """Return what ``account`` used as known at ``cutoff``; ``coarse`` tile the same time, and each joins whole spans.

    There is at least one of either. The same cut-off gives the same answer for ever.
    """
    if spans[0].start != coarse[0].start or {span.end for span in coarse} - {span.end for span in spans}:
        raise ValueError("coarse spans must join whole spans")
    archives.need(spans[0].start, spans[-1].end, "This usage")
    named = {
        "account": account,
        "first": spans[0].start,
        "last": spans[-1].end,
        "edges": _edges(spans),
        "coarse": _edges(coarse),
        "cutoff": cutoff,
    }
    with store.cursor() as cursor:
        rows = cursor.execute(effective.statement("usage_by_stretch"), named).fetchall()
    by_kind: dict[Kind, list[Stretch]] = {}
    for row in rows:
        by_kind.setdefault(Kind._make(row[:4]), []).append(Stretch._make(row[4:]))
    return Used(account, spans, coarse, by_kind)


def _edges(spans: Sequence[Span]) -> list[int]:
    """Return the moments between spans, in microseconds after the first; spans with gaps raise ValueError."""
    if any(left.end != right.start for left, right in pairwise(spans)):
        raise ValueError("spans must follow one another without a gap")
    first = spans[0].start
    return [0, *((span.end - first) // MICROSECOND for span in spans)]


def _bounds(spans: Sequence[Span], coarse: Sequence[Span]) -> list[tuple[int, int]]:
    """Return for each coarse span the first of its spans, and the first after it."""
    places = {span.start: place for place, span in enumerate(spans)} | {spans[-1].end: len(spans)}
    return [(places[span.start], places[span.end]) for span in coarse]
