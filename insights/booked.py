"""What rating and billing made of events: billed, or what stopped them on their way to an invoice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
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
from insights.five_columns import BILLED
from usage.manifests import HOUR
from usage.reconciling import Placed

LATER: Final = 12  # how many months after its own are searched for the run that billed an event
VOID: Final = "void"
GIVEN_UP: Final = (Outcome.HELD, Outcome.FAILED)


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
    closed: frozenset[Month]  # whose run has ended
    contracts: Mapping[tuple[str, Month], int]  # by account and month: the contract (row), whose own prices count too
    # remembered, since hours share it
    priced: dict[tuple[str, str, int | None, datetime], bool] = field(default_factory=dict)

    def stop(self, events: Placed) -> str:
        """Return what stopped some paired events on their way to an invoice; billed when nothing did."""
        month = Month.containing(events.month)
        currency = self.currencies.get(events.account)
        if currency is None:
            return "stranger" if events.account else "unowned"
        own = self.contracts.get((events.account, month))
        key = events.product, currency, own, events.hour
        if key not in self.priced:
            self.priced[key] = self._priced(events, month, currency, own)
        return self._billed(events, month) if self.priced[key] else "unpriced"

    def _priced(self, events: Placed, month: Month, currency: str, own: int | None) -> bool:
        book, hour = self.prices[month], events.hour
        # A close at the very start of the hour belongs to the span that ends there.
        spans = [i for i, span in enumerate(book.spans) if span.start < hour + HOUR and span.end >= hour]
        return any(book.in_span(events.product, currency, i, own) for i in spans)

    def _billed(self, events: Placed, month: Month) -> str:
        own, known = self.endings.get((events.account, month)), events.known_by
        on_time = own is not None and known is not None and known <= own.cutoff
        issued = own is not None and own.outcome in (Outcome.ISSUED, Outcome.ZERO)
        if own is not None and issued and on_time and events.product in own.products:
            return BILLED
        if known is not None and self._looked_again(events.account, month, known):
            return BILLED
        if month not in self.closed and not issued:
            return "held" if own is not None and own.outcome in GIVEN_UP else "month_open"
        if own is not None and own.outcome == VOID:
            return VOID
        if own is not None and own.outcome in GIVEN_UP:
            return "given_up"
        return "unbilled" if on_time else self._late(events.account, month)

    def _late(self, account: str, month: Month) -> str:
        """Say whether a run that is still to come will look at ``month`` again."""
        still = any(later not in self.closed for later in self._looking(account, month))
        return "late" if still else "too_late"

    def _looked_again(self, account: str, month: Month, known: datetime) -> bool:
        """Say whether a later invoice of the account looked at the month again when the events were known."""
        endings = (self.endings.get((account, later)) for later in self._looking(account, month))
        return any(e.outcome in (Outcome.ISSUED, Outcome.ZERO) and e.cutoff >= known for e in endings if e)

    def _looking(self, account: str, month: Month) -> Iterable[Month]:
        """Yield the months whose runs look at ``month`` again: two, and one more for each that gave the account up."""
        looks = 0
        for _ in range(LATER):
            month = month.next
            ending = self.endings.get((account, month))
            looks += not (ending and ending.outcome in GIVEN_UP)  # the next one that succeeds looks back past it
            if looks > LATE_MONTHS:
                return
            yield month


@dataclass(frozen=True, slots=True)
class Window:
    """The months that events of a span may belong to, and those whose runs may have billed them."""

    months: Sequence[Month]

    @classmethod
    def of(cls, span: Span) -> "Window":
        months = [Month.containing(span.start - HOUR)]  # a close may belong to the moment before it
        while months[-1].end < span.end:
            months.append(months[-1].next)
        return cls(months)

    @property
    def bounds(self) -> dict[str, date]:
        last = self.months[-1]
        for _ in range(LATER):
            last = last.next
        return {"first": self.months[0].first_day, "last": last.first_day}

    def cutoffs(self) -> tuple[list[datetime], frozenset[Month]]:
        """Return the cut-offs that drafts were built from, in order, and the months whose run has ended."""
        rows = _rows("reconciliation_cutoffs", **self.bounds)
        closed = frozenset(Month.containing(month) for _, month, ended in rows if ended)
        return sorted({cutoff for cutoff, _, _ in rows}), closed


def gather(codes: Iterable[str], window: Window, closed: frozenset[Month]) -> Books:
    """Ask the books about some accounts and the months of a window."""
    known_at, asked = clock.database_now(), sorted(codes)
    endings = _rows("reconciliation_books", codes=asked, **window.bounds)
    accounts = {row.pk: row for row in Account.objects.filter(code__in=asked).only("code", "currency")}
    contracts = {
        (accounts[key].code, month): contract.key
        for month in window.months
        for (key, currency), contract in catalogue.load_contracts(accounts, month, known_at=known_at).items()
        if currency == accounts[key].currency
    }
    owned = set(contracts.values())
    return Books(
        {account.code: account.currency for account in accounts.values()},
        {month: catalogue.load_book(month, known_at=known_at, contracts=owned) for month in window.months},
        {
            (code, Month.containing(month)): Ending(outcome, cutoff, frozenset(products))
            for code, month, outcome, cutoff, products in endings
        },
        closed,
        contracts,
    )


def _rows(name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(load("insights", name), parameters)
        return list(cursor.fetchall())
