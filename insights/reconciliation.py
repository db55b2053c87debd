"""Five columns per source and hour: what was stated, received, paired, rated and billed, and what explains a gap."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from accounts.models import Account
from billing import catalogue
from billing.late import LATE_MONTHS
from billing.models import Outcome
from billing.pricebook import PriceBook
from core import clock
from core.periods import Month, Span
from core.sql import load
from insights import five_columns
from insights.five_columns import BILLED, COLUMNS, EMPTY, PAIRED, Arrived, Column, Fate, Row, Sides
from usage import agreement, hour_totals, manifests, reconciling
from usage.manifests import HOUR
from usage.models import Manifest, Source
from usage.reconciling import Placed

VOID: Final = "void"
LATER: Final = 12  # how many months after its own are searched for the run that billed an event


class Ending(NamedTuple):
    """How a month ended for an account, and what its invoice has lines for."""

    outcome: str
    cutoff: datetime
    products: frozenset[str]


@dataclass(frozen=True, slots=True)
class Books:
    """What rating and billing know about the accounts and months of some events."""

    currencies: Mapping[str, str]
    prices: Mapping[Month, PriceBook]
    endings: Mapping[tuple[str, Month], Ending]

    def stop(self, events: Placed) -> str:
        """Return what stopped some paired events on their way to an invoice; billed when nothing did."""
        month = Month.containing(events.month)
        currency = self.currencies.get(events.account)
        if currency is None:
            return "stranger" if events.account else "unowned"
        if not self._priced(events, month, currency):
            return "unpriced"
        return self._billed(events, month)

    def _priced(self, events: Placed, month: Month, currency: str) -> bool:
        book, hour = self.prices[month], events.hour
        # A close at the very start of the hour belongs to the span that ends there.
        spans = [i for i, span in enumerate(book.spans) if span.start < hour + HOUR and span.end >= hour]
        return any(book.in_span(events.product, currency, i) for i in spans)

    def _billed(self, events: Placed, month: Month) -> str:
        own = self.endings.get((events.account, month))
        if own is None or own.outcome in (Outcome.PENDING, Outcome.DRAFTED):
            return "month_open"
        if own.outcome in (Outcome.HELD, Outcome.FAILED):
            return "held"
        known = events.known_by
        on_time = known is not None and known <= own.cutoff
        if on_time and own.outcome != VOID and events.product in own.products:
            return BILLED
        if known is not None and self._compared_again(events.account, month, known):
            return BILLED
        if own.outcome == VOID:
            return VOID
        return "unbilled" if on_time else "late"

    def _compared_again(self, account: str, month: Month, known: datetime) -> bool:
        """Say whether a later invoice of the account looked at the month again when the events were known."""
        looks = 0
        for _ in range(LATER):
            month = month.next
            ending = self.endings.get((account, month))
            if ending and ending.outcome in (Outcome.HELD, Outcome.FAILED):
                continue  # the next one that succeeds looks back past it
            looks += 1
            if looks > LATE_MONTHS:
                return False
            if ending and ending.outcome in (Outcome.ISSUED, Outcome.ZERO) and ending.cutoff >= known:
                return True
        return False


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


def reconcile(sources: Sequence[Source], span: Span, *, now: datetime) -> Reconciliation:
    """Compare the five columns of some sources for the whole hours of ``span``. Reads only."""
    rows = [source.pk for source in sources]
    months = _months(span)
    bounds = {"first": months[0].first_day, "last": _later(months[-1]).first_day}
    placed = reconciling.placed(span, rows, [cutoff for (cutoff,) in _books("reconciliation_cutoffs", **bounds)])
    books = _gather({one.account for one in placed if one.account}, months, bounds)
    received = {(r.source, r.hour, r.meter): Arrived(r.sums, r.hash) for r in hour_totals.received(span, rows)}
    sides = Sides(
        {source.pk: source.name for source in sources},
        manifests.believed(span, rows),
        received,
        reconciling.refused(span, rows),
        _fates(placed, books),
    )
    return Reconciliation(span, five_columns.rows(sides, _Expecting(sources, now)))


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
        stop = books.stop(one) if one.place == PAIRED else one.place
        yield Fate(one.cell, stop, Column(one.events, one.quantity))


def _gather(codes: set[str], months: Sequence[Month], bounds: Mapping[str, date]) -> Books:
    known_at = clock.database_now()
    endings = _books("reconciliation_books", codes=sorted(codes), **bounds)
    return Books(
        dict(Account.objects.filter(code__in=codes).values_list("code", "currency")),
        {month: catalogue.load_book(month, known_at=known_at) for month in months},
        {
            (code, Month.containing(month)): Ending(outcome, cutoff, frozenset(products))
            for code, month, outcome, cutoff, products in endings
        },
    )


def _months(span: Span) -> list[Month]:
    """Return the months that events of ``span`` may belong to; a close may belong to the moment before it."""
    months = [Month.containing(span.start - HOUR)]
    while months[-1].end < span.end:
        months.append(months[-1].next)
    return months


def _later(month: Month) -> Month:
    for _ in range(LATER):
        month = month.next
    return month


def _books(name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(load("insights", name), parameters)
        return list(cursor.fetchall())
