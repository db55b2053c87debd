"""Flat: a fee for the month that is due in full, even when it was taken on the last day."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from billing.rating.shape import Rated, Step, Usage
from core.fields import Fields


@dataclass(frozen=True, slots=True)
class Flat:
    """``unit_amount`` for each subscription of the month, whatever part of the month it lasted."""

    unit_amount: Decimal


def parse(fields: Fields) -> Flat:
    """Read ``{"unit_amount": "5"}``; a flat fee may also be written as ``flat_amount``."""
    return Flat(fields.decimal("flat_amount" if fields.has("flat_amount") else "unit_amount"))


def rate(price: Flat, usage: Usage) -> Rated:
    """Charge the fee for each of ``usage.quantity`` subscriptions; a started one counts in full."""
    fees = usage.quantity.to_integral_value(rounding=ROUND_CEILING)
    amount = price.unit_amount * fees
    return Rated(amount, (Step("flat fee, not prorated", fees, price.unit_amount, amount),))
