"""Graduated percentage: each slice of an amount pays its own tier's share, plus flat amounts of the tiers entered."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.percentage import parse_rate
from billing.rating.shape import Rated, Step, Usage
from billing.rating.tiers import parse_tiers, slices
from core.exact import ZERO
from core.fields import Fields
from core.money import total


@dataclass(frozen=True, slots=True)
class RateTier:
    """``rate`` (a fraction) of each slice up to ``up_to``, and ``flat_amount`` once when the tier is entered."""

    up_to: Decimal | None
    rate: Decimal
    flat_amount: Decimal


@dataclass(frozen=True, slots=True)
class GraduatedPercentage:
    """Tiers for which every slice of the amount pays its own tier's rate."""

    tiers: tuple[RateTier, ...]
    flat_at_zero: bool = False


def parse(fields: Fields) -> GraduatedPercentage:
    """Read ``{"tiers": [{"up_to": "1000", "rate": "0.02", "flat_amount": "1"}, {"up_to": null, "rate": "0.01"}]}``."""
    return GraduatedPercentage(parse_tiers(fields, _parse_tier), fields.flag("flat_at_zero"))


def rate(price: GraduatedPercentage, usage: Usage) -> Rated:
    """Charge each slice of the amount at its tier's rate, and the flat amount of every tier entered."""
    steps: list[Step] = []
    for label, tier, part in slices(price.tiers, usage.quantity, flat_at_zero=price.flat_at_zero):
        steps.append(Step(label, part, tier.rate, part * tier.rate))
        if tier.flat_amount:
            steps.append(Step(f"{label}: flat amount", Decimal(1), tier.flat_amount, tier.flat_amount))
    return Rated(total(step.amount for step in steps), tuple(steps))


def _parse_tier(tier: Fields, up_to: Decimal | None) -> RateTier:
    flat_amount = tier.decimal("flat_amount", default=ZERO)
    return RateTier(up_to, parse_rate(tier), flat_amount)
