"""The running month, priced by the same code as an invoice: what an account used so far, and where it is heading.

Asked for the days as well, it costs one look at each interval: see ``usage.stretches``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from accounts.models import Account
from billing import catalogue, waivers
from billing.assembly import RUNNING, Parked
from billing.day_shares import Charge
from billing.draft import USAGE, DraftLine
from billing.month_lines import month_lines
from billing.pricebook import PriceBook
from billing.proration import cut
from billing.rating.flat import Flat
from core import clock, databases
from core.exact import EXACT, quotient
from core.money import ZERO
from core.money import total as exact_total
from core.periods import Month, Span
from usage import stretches
from usage.metering import UsageRow
from usage.stretches import Kind, Used

DAY: Final = timedelta(days=1)
PACE: Final = DAY  # a forecast goes on as the last day did
MICROSECOND: Final = timedelta(microseconds=1)
MICROSECONDS: Final = 6  # digits of a second


@dataclass(frozen=True, slots=True)
class CurrentUsage:
    """One account's month up to ``as_of``: lines as an invoice would show them, before credits and tax.

    ``forecast`` is the total at the month's end if everything goes on at the pace of the last day. ``waiting``
    says why something cannot be priced yet; then there are no lines. ``charges`` and ``used`` (as known at
    ``cutoff``) are what days and resources are shared by; see ``billing.month_use``.
    """

    month: Month
    as_of: datetime
    cutoff: datetime
    currency: str
    lines: Sequence[DraftLine] = ()
    total: Decimal = ZERO
    forecast: Decimal = ZERO
    waiting: str = ""
    charges: Sequence[Charge] = ()
    used: Used | None = None


def current_usage(
    account: Account, *, as_of: datetime, month: Month | None = None, cutoff: datetime | None = None
) -> CurrentUsage:
    """Return what ``account`` used of ``month`` (default: of as_of) before ``as_of``; writes nothing.

    As known at ``cutoff``, by default now.
    """
    month, cutoff = month or Month.containing(as_of), cutoff or clock.database_now(databases.usage())
    until, asked = min(as_of, month.end), (month, as_of, cutoff, account.currency)
    if until <= month.start:
        return CurrentUsage(*asked)
    known_at = clock.database_now()
    contract = catalogue.load_contracts([account.pk], month, known_at=known_at).get((account.pk, account.currency))
    own = [contract.key] if contract else []
    book = catalogue.load_book(month, known_at=known_at, until=until, cuts=[until - PACE], contracts=own)
    used = stretches.used(account.code, day_spans(book.spans), book.spans, cutoff=cutoff)
    waived = waivers.unpriced([account.pk], month, known_at).get(account.pk, ())
    rows = waivers.left(used.rows(), book.spans, waived)
    try:
        lines = month_lines(rows, book, account.currency, contract, whole_month=until == month.end)
        heading = month_lines(_at_this_pace(rows, book), book, account.currency, contract)
    except Parked as parked:
        return CurrentUsage(*asked, waiting=parked.reason)
    flat = {v.key for versions in book.prices.values() for v in versions if v and isinstance(v.price, Flat)}
    return CurrentUsage(
        *asked,
        lines,
        exact_total(line.amount for line in lines),
        exact_total(line.amount for line in heading),
        charges=[charge(line, flat=line.price in flat) for line in lines],
        used=used,
    )


def day_spans(spans: Sequence[Span]) -> list[Span]:
    """Cut ``spans``, which follow one another, at every midnight too."""
    whole = Span(spans[0].start, spans[-1].end)
    days = (whole.end - whole.start) // DAY + 1
    midnight = whole.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return cut(whole, [*(span.start for span in spans), *(midnight + DAY * day for day in range(1, days + 1))])


def charge(line: DraftLine, *, flat: bool) -> Charge:
    """Return a line as the days share it."""
    kind = Kind(line.app, line.product, line.meter or RUNNING, line.component)
    return Charge(kind, line.description, line.amount, line.start, line.end, flat, line.kind == USAGE)


def _at_this_pace(rows: Sequence[UsageRow], book: PriceBook) -> list[UsageRow]:
    """Let what was used in the last day (in a younger month: since it began) go on until the month ends."""
    pace_from = next(i for i, span in enumerate(book.spans) if span.end > book.until - PACE)
    measured_over = (book.until - book.spans[pace_from].start) // MICROSECOND
    ahead = (book.month.end - book.until) // MICROSECOND
    return [_extended(row, ahead, measured_over) if row.span >= pace_from else row for row in rows]


def _extended(row: UsageRow, ahead: int, measured_over: int) -> UsageRow:
    used = row.seconds_or_quantity
    more = quotient(EXACT.multiply(used, Decimal(ahead)), measured_over, 0 if row.measured else MICROSECONDS)
    return row._replace(seconds_or_quantity=EXACT.add(used, more))
