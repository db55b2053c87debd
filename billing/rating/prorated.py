"""Prorated: a monthly price, charged by the second; the whole month costs exactly the list price."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.shape import QUANTITY_PLACES, UNROUNDED_PLACES, Rated, Step, Usage, month_of
from core.exact import plain, quotient
from core.fields import Fields


@dataclass(frozen=True, slots=True)
class Prorated:
    """``unit_amount`` for one unit during one whole calendar month."""

    unit_amount: Decimal


def parse(fields: Fields) -> Prorated:
    """Read ``{"unit_amount": "7"}``."""
    return Prorated(fields.decimal("unit_amount"))


def rate(price: Prorated, usage: Usage) -> Rated:
    """Charge ``usage.quantity`` seconds as a share of the month's actual seconds."""
    month = month_of(usage)
    numerator, seconds = price.unit_amount * usage.quantity, month.seconds
    step = Step(
        f"{plain(usage.quantity)} of {seconds} seconds of {month}",
        quotient(usage.quantity, seconds, QUANTITY_PLACES),
        price.unit_amount,
        quotient(numerator, seconds, UNROUNDED_PLACES),
    )
    return Rated(numerator, (step,), seconds)
