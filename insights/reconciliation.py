"""Five columns per source and hour: what was stated, received, paired, rated and billed, and what explains a gap."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.errors import Invalid
from core.periods import Span
from insights import booked, five_columns
from insights.booked import Books
from insights.five_columns import BILLED, COLUMNS, EMPTY, PAIRED, Arrived, Column, Fate, Row, Sides
from usage import agreement, archives, hour_totals, manifests, reconciling
from usage.manifests import HOUR
from usage.models import Manifest, Source
from usage.reconciling import Behind, Placed

MOST_EVENTS: Final = 2_000_000  # that one question looks at; a month of one source, or a busy day of all
MOST_BEHIND: Final = 2_000  # rows of one hour


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The rows of a span, newest first, as of one moment."""

    span: Span
    rows: Sequence[Row]

    @property
    def totals(self) -> dict[str, Column]:
        """Each column added up; an hour without a manifest adds nothing to the first."""
        sums = dict.fromkeys(COLUMNS, EMPTY)
        for row in self.rows:
            for name, column in row.columns().items():
                sums[name] = sums[name].plus(column or EMPTY)
        return sums

    def count(self, state: str) -> int:
        return sum(1 for row in self.rows if row.state == state)


@dataclass(frozen=True, slots=True)
class Explained:
    """Events of one resource in one hour, and what became of them: billed, or what stopped them."""

    behind: Behind
    stop: str

    @property
    def sentence(self) -> str:
        """Say it in words."""
        words = {**five_columns.UNPAIRED, **five_columns.UNRATED, **five_columns.UNBILLED}
        return words.get(self.stop, "on an invoice")


def reconcile(sources: Sequence[Source], span: Span, *, now: datetime) -> Reconciliation:
    """Compare the five columns of some sources for the whole hours of ``span``. Reads only.

    Raises Invalid when more events would have to be looked at than one question may.
    """
    rows = [source.pk for source in sources]
    received = {(r.source, r.hour, r.meter): Arrived(r.sums, r.hash) for r in hour_totals.received(span, rows)}
    _bounded(sum(arrived.sums.events for arrived in received.values()))
    window = booked.Window.of(span)
    cutoffs, closed = window.cutoffs()
    placed = reconciling.placed(span, rows, cutoffs)
    books = booked.gather({one.account for one in placed if one.account}, window, closed)
    sides = Sides(
        {source.pk: source.name for source in sources},
        manifests.believed(span, rows),
        received,
        reconciling.refused(span, rows),
        _fates(placed, books),
        frozenset(archives.within(span.start, span.end)),
    )
    return Reconciliation(span, five_columns.rows(sides, _Expecting(sources, now)))


def behind(source: Source, hour: datetime, meter: str = "") -> list[Explained]:
    """Return what became of the events of one hour, resource by resource, what was not billed first; 2,000 at most."""
    span = Span(hour, hour + HOUR)
    window = booked.Window.of(span)
    cutoffs, closed = window.cutoffs()
    found = reconciling.behind(span, source.pk, meter, cutoffs, most=MOST_BEHIND)
    books = booked.gather({one.placed.account for one in found if one.placed.account}, window, closed)
    explained = [Explained(one, _stop(one.placed, books)) for one in found]
    return sorted(explained, key=lambda one: (one.stop == BILLED, one.behind.resource))


def _bounded(events: int) -> None:
    if events > MOST_EVENTS:
        raise Invalid(
            f"{events:,} events lie in that time, and {MOST_EVENTS:,} are compared at once; ask for one source or for "
            "a shorter time.",
            field="from",
        )


class _Expecting:
    """What it means when a source stated nothing about an hour."""

    def __init__(self, sources: Iterable[Source], now: datetime) -> None:
        self.sources, self.now = {source.pk: source for source in sources}, now
        self.stating = set(
            Manifest.objects.filter(source__in=list(self.sources)).values_list("source_id", flat=True).distinct()
        )

    def __call__(self, source: int, hour: datetime) -> str:
        if source not in self.stating:
            return ""
        due = hour + HOUR + timedelta(seconds=self.sources[source].lateness_seconds)
        return "young" if self.now < due else agreement.UNSTATED


def _fates(placed: Iterable[Placed], books: Books) -> Iterator[Fate]:
    for one in placed:
        yield Fate(one.cell, _stop(one, books), Column(one.events, one.quantity))


def _stop(events: Placed, books: Books) -> str:
    return books.stop(events) if events.place == PAIRED else events.place
