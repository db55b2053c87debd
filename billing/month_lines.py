"""One account's month: its usage as priced, and what its own terms make of that. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from billing.assembly import MeteredUsage, usage_lines
from billing.contracts.applying import contract_lines
from billing.contracts.terms import Terms
from billing.draft import DraftLine
from billing.pricebook import PriceBook


@dataclass(frozen=True, slots=True)
class Contracted:
    """The contract of an account in one month; ``key`` is its row, by which the book knows its own prices."""

    key: int
    terms: Terms


def month_lines(
    rows: Iterable[MeteredUsage],
    book: PriceBook,
    currency: str,
    contract: Contracted | None = None,
    *,
    whole_month: bool = True,
) -> list[DraftLine]:
    """Return the lines of one account's month in their printed order, each effect of the contract as its own line.

    While the month runs (not ``whole_month``) nothing is made up to what the contract says must be spent at least.
    Raises Parked when something cannot be priced without a guess.
    """
    if contract is None:
        return usage_lines(rows, book, currency)
    used = usage_lines(rows, book, currency, contract.key)
    made = contract_lines(used, contract.terms, book.price, currency, book.month, whole_month=whole_month)
    return [*used, *made]
