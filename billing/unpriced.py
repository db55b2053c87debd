"""Usage that no price covers: whose it is, when, and why, judged by the rating that a run parks accounts with."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from accounts.models import Account
from billing import catalogue
from billing.assembly import Parked, usage_lines
from billing.models import UsageWaiver, WaiverKind
from billing.pricebook import PriceBook
from billing.rating.flat import Flat
from billing.rating.lines import is_by_time
from billing.waivers import covered
from core import clock
from core.exact import EXACT
from core.periods import Month, Span
from usage import completeness, metering
from usage.metering import UsageRow

CHUNK = 5_000  # accounts asked about together


class Unpriced(NamedTuple):
    """What one account used of one product in ``[start, end)`` without a price: seconds, or a measured quantity."""

    account: Account
    product: str
    start: datetime
    end: datetime
    amount: Decimal
    measured: bool
    why: str


def unpriced(month: Month, *, cutoff: datetime) -> list[Unpriced]:
    """Return the month's usage that cannot be priced, as known at ``cutoff`` and at the prices of now.

    Waived usage is left out. Reads only; looks through the usage of the whole month once, and again at the accounts
    of the products in question.
    """
    known_at, until = clock.database_now(), min(month.end, cutoff)
    if until <= month.start:
        return []
    book = catalogue.load_book(month, known_at=known_at, until=until)
    currencies = set(Account.objects.values_list("currency", flat=True).distinct())
    used = completeness.products(Span(month.start, until), cutoff=cutoff)
    doubtful = sorted({product for product, measured in used if _is_doubtful(product, measured, book, currencies)})
    codes = completeness.owners_of(doubtful, book_span(book), cutoff=cutoff) if doubtful else []
    found: list[Unpriced] = []
    for start in range(0, len(codes), CHUNK):
        found += _of(codes[start : start + CHUNK], month, set(doubtful), cutoff, known_at, until)
    return found


def book_span(book: PriceBook) -> Span:
    """Return the time that the book's spans tile."""
    return Span(book.spans[0].start, book.spans[-1].end)


def _is_doubtful(product: str, measured: bool, book: PriceBook, currencies: Iterable[str]) -> bool:
    """Say whether the price list leaves a gap for the product in a currency that some account has."""
    return product not in book.products or any(
        version is None
        or version.price is None
        or (not isinstance(version.price, Flat) and is_by_time(version.price) == measured)
        for currency in currencies
        for version in (book.in_span(product, currency, span) for span in range(len(book.spans)))
    )


def _of(
    codes: Sequence[str], month: Month, products: set[str], cutoff: datetime, known_at: datetime, until: datetime
) -> Iterator[Unpriced]:
    accounts = {account.code: account for account in Account.objects.filter(code__in=codes)}
    keys = [account.pk for account in accounts.values()]
    contracts = catalogue.load_contracts(keys, month, known_at=known_at)
    owned = [contract.key for contract in contracts.values()]
    book = catalogue.load_book(month, known_at=known_at, until=until, contracts=owned)
    waived = list(UsageWaiver.objects.known_at(known_at).filter(kind=WaiverKind.UNPRICED, account__in=keys))
    rows = (row for row in metering.account_usage(list(accounts), book.spans, cutoff=cutoff) if row.product in products)
    for (code, product), of_one in groupby(sorted(rows, key=_thing), key=_thing):
        account = accounts[code]
        mine = [waiver for waiver in waived if waiver.account_id == account.pk and waiver.product == product]
        contract = contracts.get((account.pk, account.currency))
        own = contract.key if contract else None
        parked = [
            (row, why)
            for row in of_one
            if (why := _why(row, book, account.currency, own)) and not covered(book.spans[row.span], mine)
        ]
        yield from _stretches(account, product, parked, book)


def _thing(row: UsageRow) -> tuple[str, str]:
    return row.account, row.product


def _why(row: UsageRow, book: PriceBook, currency: str, contract: int | None) -> str:
    """Return why the row cannot be rated, empty when it can."""
    try:
        usage_lines([row], book, currency, contract)
    except Parked as parked:
        return parked.reason
    return ""


def _stretches(
    account: Account, product: str, parked: Sequence[tuple[UsageRow, str]], book: PriceBook
) -> Iterator[Unpriced]:
    """Join spans that follow one another into one piece."""
    by_span: dict[int, tuple[Decimal, bool, str]] = {}
    for row, why in parked:
        before = by_span.get(row.span, (Decimal(0), row.measured, why))
        by_span[row.span] = (EXACT.add(before[0], row.seconds_or_quantity), row.measured, before[2])
    for _, run in groupby(enumerate(sorted(by_span)), key=lambda place: place[1] - place[0]):
        spans = [span for _, span in run]
        amount = Decimal(0)
        for span in spans:
            amount = EXACT.add(amount, by_span[span][0])
        _, measured, why = by_span[spans[0]]
        yield Unpriced(account, product, book.spans[spans[0]].start, book.spans[spans[-1]].end, amount, measured, why)
