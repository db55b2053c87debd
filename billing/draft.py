"""A draft invoice as a value: its lines, its sums, and the hash that says whether two are the same. Pure."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from billing import allocation, tax
from core.exact import WIDE, ZERO, plain
from core.money import total as exact_total
from core.periods import Month

STORED: Final = Decimal(1).scaleb(-12)  # digits that quantities and unrounded amounts are kept with
USAGE: Final = "usage"
ADJUSTMENT: Final = "adjustment"
MANUAL: Final = "manual"
CONTRACT: Final = "contract"  # what an account's own terms add or take
CONTRACT_METER: Final = "contract: "  # begins the meter of a contract's lines and of their adjustments


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line before it has a row. ``amount`` is charged, ``rated`` is what rating says (None: manual).

    ``usage`` is in seconds or in the meter's unit, ``quantity`` in ``unit``; ``steps`` are JSON-ready.
    """

    kind: str
    description: str
    amount: Decimal
    start: datetime
    end: datetime
    app: str = ""
    product: str = ""
    group: str = "other"
    partner: bool = False
    component: str = ""
    meter: str = ""
    quantity: Decimal = Decimal(1)
    unit: str = ""
    unit_amount: Decimal | None = None
    rated: Decimal | None = None
    unrounded: Decimal = ZERO
    price: int | None = None
    usage: Decimal | None = None
    resources: int = 0
    steps: Sequence[dict[str, str]] = ()
    inputs_hash: str = ""
    adjusts: int | None = None
    reason: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """What an invoice comes to; ``applications`` are (grant, amount) in the order of use."""

    subtotal: Decimal = ZERO
    credits: Decimal = ZERO
    tax_name: str = ""
    tax_rate: Decimal = ZERO
    tax: Decimal = ZERO
    total: Decimal = ZERO
    applications: tuple[tuple[int, Decimal], ...] = field(default=())


def sums(
    lines: Sequence[DraftLine], grants: Iterable[allocation.Grant], rate: tax.Rate | None, currency: str, month: Month
) -> Sums:
    """Add up rounded lines, apply credits before tax, and tax the rest once."""
    chargeable = [
        allocation.Chargeable(position, line.group, line.amount, line.partner) for position, line in enumerate(lines)
    ]
    subtotal = exact_total(line.amount for line in lines)
    applied = allocation.allocate(grants, chargeable, period_start=month.first_day).by_grant()
    credits_ = exact_total(applied.values())
    due = tax.tax_lines([(rate, subtotal - credits_)], currency)[0] if rate else None
    charged = due.amount if due else ZERO
    return Sums(
        subtotal,
        credits_,
        rate.name if rate else "",
        rate.rate if rate else ZERO,
        charged,
        subtotal - credits_ + charged,
        tuple(applied.items()),
    )


def stored(value: Decimal) -> Decimal:
    """Return a quantity with the digits its column keeps; amounts were rounded before and do not pass here."""
    return value if -int(value.as_tuple().exponent) <= 12 else value.quantize(STORED, ROUND_HALF_UP, context=WIDE)


def content_hash(account: str, currency: str, month: Month, lines: Sequence[DraftLine], totals: Sums) -> str:
    """Return the hex SHA-256 of everything an invoice says, whatever rows it is kept in."""
    said = [
        account,
        currency,
        str(month),
        [_said(line) for line in lines],
        [plain(getattr(totals, name)) for name in ("subtotal", "credits", "tax_rate", "tax", "total")],
        totals.tax_name,
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _said(line: DraftLine) -> list[Any]:
    numbers = (stored(line.quantity), line.unit_amount, line.amount, line.rated, line.usage)
    return [
        line.kind,
        line.app,
        line.product,
        line.component,
        line.meter,
        line.description,
        line.unit,
        *(None if number is None else plain(number) for number in numbers),
        line.start.isoformat(),
        line.end.isoformat(),
        line.inputs_hash,
        line.reason,
        line.author,
    ]
