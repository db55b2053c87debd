"""How one account of the roster ends: drafted, zero, held or failed. Pure; one account's fault stays its own."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from billing import allocation, draft, late, tax
from billing.assembly import MeteredUsage, Parked
from billing.draft import DraftLine, Sums
from billing.late import Billed
from billing.month_lines import Contracted, month_lines
from billing.pricebook import PriceBook
from core.errors import VaultError
from core.money import minor_unit
from core.periods import Month

UNUSUAL_FACTOR: Final = 10  # a total above this many times the middle of the last three waits for a person
UNUSUAL_COINS: Final = 100_000  # … unless the jump is smaller than this many of the smallest coin
LARGEST: Final = Decimal(10) ** 15  # an amount from here on is a mistake, in any currency

NOTHING: Final = Sums()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One account's outcome in a run. ``lines`` are kept for drafted and, where there is one, for held drafts."""

    outcome: str  # "drafted", "zero", "held", "failed"
    lines: Sequence[DraftLine] = ()
    sums: Sums = NOTHING
    code: str = ""
    reason: str = ""
    inputs_hash: str = ""
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class EarlierMonth:
    """One closed month of one account: what it comes to now, and what was billed."""

    month: Month
    book: PriceBook
    usage: Sequence[MeteredUsage]
    billed: Sequence[tuple[str, Billed]]
    original: tuple[int, str] | None
    amended: Mapping[late.Thing, Sequence[str]] = field(default_factory=dict)
    contract: Contracted | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides one account's invoice, apart from its credits."""

    code: str
    currency: str
    country: str
    region: str
    tax_exempt: bool
    book: PriceBook
    usage: Sequence[MeteredUsage]
    earlier: Sequence[EarlierMonth]
    tax_rates: Sequence[tax.Rate]
    parked: tuple[str, str] | None = None
    taken: str = ""
    before: Sequence[Decimal] = ()
    contract: Contracted | None = None


def assemble(case: Case) -> Verdict:
    """Return the lines of one account, or why it must wait; never raises for what is wrong with the account."""
    try:
        if case.taken:
            return Verdict(
                "failed", code="taken", reason=f"{case.taken} already bills this month; void it, then retry."
            )
        if case.parked:
            return Verdict("held", code=case.parked[0], reason=case.parked[1])
        adjusted = (line for earlier in case.earlier for line in late_lines(earlier, case.currency))
        lines = [*month_lines(case.usage, case.book, case.currency, case.contract), *adjusted]
        if any(abs(line.amount) >= LARGEST for line in lines):
            return Verdict("failed", code="amount", reason="A line comes to 10^15 or more, which must be a mistake.")
    except Parked as parked:
        return Verdict("held", code=parked.code, reason=parked.reason)
    except Exception as error:  # whatever is wrong with this account must not stop the others
        return Verdict("failed", code="error", reason=str(error) if isinstance(error, VaultError) else repr(error))
    inputs = hashlib.sha256("".join(line.inputs_hash for line in lines).encode()).hexdigest() if lines else ""
    return Verdict("drafted" if any(line.amount for line in lines) else "zero", lines, inputs_hash=inputs)


def add_up(case: Case, verdict: Verdict, grants: Iterable[allocation.Grant]) -> Verdict:
    """Apply credits and tax to a drafted account's lines and judge the result."""
    if verdict.outcome != "drafted":
        return verdict
    try:
        rate = rate_of(case)
        sums = draft.sums(verdict.lines, grants, rate, case.currency, case.book.month)
    except VaultError as error:
        return Verdict("failed", code="tax", reason=str(error))
    hashed = draft.content_hash(case.code, case.currency, case.book.month, verdict.lines, sums)
    added = replace(verdict, sums=sums, content_hash=hashed)
    code, reason = _doubt(sums, case)
    return replace(added, outcome="held", code=code, reason=reason) if code else added


def rate_of(case: Case) -> tax.Rate | None:
    """Return the tax due from the account for the book's month; an exempt one owes none."""
    if case.tax_exempt or not case.country:
        return None
    last_day = case.book.month.end.date() - timedelta(days=1)
    return tax.rate_for(case.tax_rates, country=case.country, region=case.region, on=last_day)


def late_lines(earlier: EarlierMonth, currency: str) -> list[DraftLine]:
    """Return the adjustments of one month that was billed; raise Parked when they cannot be told."""
    billed = [line for billed_in, line in earlier.billed if billed_in == currency]
    if len(billed) < len(earlier.billed):
        raise Parked("currency", f"{earlier.month} was billed in another currency; adjust it there by hand.")
    expected = month_lines(earlier.usage, earlier.book, currency, earlier.contract)
    return late.adjustments(earlier.month, expected, billed, earlier.original, earlier.amended)


def _doubt(sums: Sums, case: Case) -> tuple[str, str]:
    """Return why a person must look at the sums, or two blanks."""
    if sums.total < 0:
        return "negative", (
            f"Adjustments bring it to {sums.total} {case.currency}: waive them and give a credit instead, then release."
        )
    usual = sorted(case.before[:3])[1] if len(case.before) >= 3 else None
    if usual is None or sums.total <= UNUSUAL_FACTOR * usual:
        return "", ""
    if sums.total - usual < UNUSUAL_COINS * minor_unit(case.currency):
        return "", ""
    return (
        "unusual",
        f"{sums.total} {case.currency} is more than {UNUSUAL_FACTOR} times the usual {usual}: look, then release.",
    )
