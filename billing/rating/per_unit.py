"""Per unit: every unit costs the same."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.shape import Rated, Step, Usage
from core.fields import Fields


@dataclass(frozen=True, slots=True)
class PerUnit:
    """``unit_amount`` for one unit; fractions of a unit are charged as fractions."""

    unit_amount: Decimal


def parse(fields: Fields) -> PerUnit:
    """Read ``{"unit_amount": "0.05"}``."""
    return PerUnit(fields.decimal("unit_amount"))


def rate(price: PerUnit, usage: Usage) -> Rated:
    """Charge ``usage.quantity`` units."""
    amount = price.unit_amount * usage.quantity
    return Rated(amount, (Step("units", usage.quantity, price.unit_amount, amount),))
