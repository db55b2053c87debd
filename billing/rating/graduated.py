"""Graduated: each unit is charged at the tier it falls into."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.shape import Rated, Step, Usage
from billing.rating.tiers import parse_tiers, slices, unit_or_flat
from core.fields import Fields
from core.money import total


@dataclass(frozen=True, slots=True)
class UnitTier:
    """``unit_amount`` for each unit up to ``up_to``, and ``flat_amount`` once when the tier is entered."""

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal


@dataclass(frozen=True, slots=True)
class Graduated:
    """Tiers for which every unit pays its own tier's price."""

    tiers: tuple[UnitTier, ...]
    flat_at_zero: bool = False


def parse_unit_tier(tier: Fields, up_to: Decimal | None) -> UnitTier:
    """Read what one tier charges per unit and once."""
    return UnitTier(up_to, *unit_or_flat(tier, "unit_amount"))


def parse(fields: Fields) -> Graduated:
    """Read ``{"tiers": [{"up_to": "5", "unit_amount": "7"}, {"up_to": null, "unit_amount": "6"}]}``.

    ``flat_amount`` may be added, or stand alone. ``flat_at_zero`` makes the first one due without usage.
    """
    return Graduated(parse_tiers(fields, parse_unit_tier), fields.flag("flat_at_zero"))


def rate(price: Graduated, usage: Usage) -> Rated:
    """Charge each slice of the quantity at its tier, and the flat amount of every tier entered."""
    steps: list[Step] = []
    for label, tier, units in slices(price.tiers, usage.quantity, flat_at_zero=price.flat_at_zero):
        steps.append(Step(label, units, tier.unit_amount, units * tier.unit_amount))
        if tier.flat_amount:
            steps.append(Step(f"{label}: flat amount", Decimal(1), tier.flat_amount, tier.flat_amount))
    return Rated(total(step.amount for step in steps), tuple(steps))
