"""The running month, priced by the same code as an invoice: what an account used so far, and where it is heading."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from accounts.models import Account
from billing import catalogue
from billing.assembly import Parked, usage_lines
from billing.draft import DraftLine
from billing.pricebook import PriceBook
from core import clock
from core.exact import quotient
from core.money import ZERO
from core.money import total as exact_total
from core.periods import Month, exact_seconds
from usage import metering
from usage.metering import UsageRow

PACE: Final = timedelta(days=1)  # a forecast goes on as the last day did
MICROSECONDS: Final = 6


@dataclass(frozen=True, slots=True)
class CurrentUsage:
    """One account's month up to ``as_of``: lines as an invoice would show them, before credits and tax.

    ``forecast`` is the total at the month's end if everything goes on at the pace of the last day. ``waiting``
    says why something cannot be priced yet; then there are no lines.
    """

    month: Month
    as_of: datetime
    currency: str
    lines: Sequence[DraftLine]
    total: Decimal
    forecast: Decimal
    waiting: str = ""


def current_usage(account: Account, *, as_of: datetime) -> CurrentUsage:
    """Return what ``account`` used in the month of ``as_of`` before that moment, as known now; writes nothing."""
    month, now = Month.containing(as_of), clock.database_now()
    if as_of <= month.start:
        return CurrentUsage(month, as_of, account.currency, (), ZERO, ZERO)
    book = catalogue.load_book(month, known_at=now, until=as_of, cuts=[as_of - PACE])
    rows = list(metering.account_usage([account.code], book.spans, cutoff=now))
    try:
        lines = usage_lines(rows, book, account.currency)
        heading = usage_lines(_at_this_pace(rows, book), book, account.currency)
    except Parked as parked:
        return CurrentUsage(month, as_of, account.currency, (), ZERO, ZERO, parked.reason)
    return CurrentUsage(
        month,
        as_of,
        account.currency,
        lines,
        exact_total(line.amount for line in lines),
        exact_total(line.amount for line in heading),
    )


def _at_this_pace(rows: Sequence[UsageRow], book: PriceBook) -> list[UsageRow]:
    """Let what was used in the last day go on until the month ends."""
    pace_from = next(i for i, span in enumerate(book.spans) if span.end > book.until - PACE)
    measured_over = exact_seconds(book.until - book.spans[pace_from].start)
    ahead = exact_seconds(book.month.end - book.until)
    return [_extended(row, ahead, measured_over) if row.span >= pace_from else row for row in rows]


def _extended(row: UsageRow, ahead: Decimal, measured_over: Decimal) -> UsageRow:
    more = quotient(row.seconds_or_quantity * ahead, int(measured_over) or 1, 0 if row.measured else MICROSECONDS)
    return row._replace(seconds_or_quantity=row.seconds_or_quantity + more)
