"""Hourly with a monthly cap: each hour costs the same until the month has cost enough."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.shape import QUANTITY_PLACES, UNROUNDED_PLACES, Rated, Step, Usage
from core.exact import plain, quotient
from core.fields import Fields

SECONDS = 3600


@dataclass(frozen=True, slots=True)
class HourlyCapped:
    """``unit_amount`` for one hour; never more than ``cap_amount`` for the month, None meaning no cap."""

    unit_amount: Decimal
    cap_amount: Decimal | None


def parse(fields: Fields) -> HourlyCapped:
    """Read ``{"unit_amount": "0.01", "cap_amount": "7"}``; a null cap means none, and must be said."""
    return HourlyCapped(fields.decimal("unit_amount"), fields.nullable_decimal("cap_amount"))


def rate(price: HourlyCapped, usage: Usage) -> Rated:
    """Charge ``usage.quantity`` seconds by the hour, fractions included, up to the cap."""
    numerator = price.unit_amount * usage.quantity
    amount = quotient(numerator, SECONDS, UNROUNDED_PLACES)
    hours = quotient(usage.quantity, SECONDS, QUANTITY_PLACES)
    step = Step(f"{plain(usage.quantity)} seconds by the hour", hours, price.unit_amount, amount)
    if price.cap_amount is None or numerator <= price.cap_amount * SECONDS:
        return Rated(numerator, (step,), SECONDS)
    over = price.cap_amount - amount
    return Rated(price.cap_amount, (step, Step("above the monthly cap, not charged", Decimal(1), over, over)))
