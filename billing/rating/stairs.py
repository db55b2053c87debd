"""Stairs: one amount for the tier that the quantity reaches, however far into it."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.shape import Rated, Step, Usage
from billing.rating.tiers import containing, parse_tiers
from core.exact import ZERO
from core.fields import Fields


@dataclass(frozen=True, slots=True)
class Stair:
    """``flat_amount`` for any quantity up to ``up_to``."""

    up_to: Decimal | None
    flat_amount: Decimal


@dataclass(frozen=True, slots=True)
class Stairs:
    """Tiers of which one gives the amount."""

    tiers: tuple[Stair, ...]
    flat_at_zero: bool = False


def parse(fields: Fields) -> Stairs:
    """Read ``{"tiers": [{"up_to": "10", "flat_amount": "20"}, {"up_to": null, "flat_amount": "50"}]}``."""
    tiers = parse_tiers(fields, lambda tier, up_to: Stair(up_to, tier.decimal("flat_amount")))
    return Stairs(tiers, fields.flag("flat_at_zero"))


def rate(price: Stairs, usage: Usage) -> Rated:
    """Charge the amount of the tier in which the quantity lies; nothing for no usage."""
    found = containing(price.tiers, usage.quantity, flat_at_zero=price.flat_at_zero)
    if found is None:
        return Rated(ZERO, ())
    label, tier = found
    return Rated(tier.flat_amount, (Step(label, Decimal(1), tier.flat_amount, tier.flat_amount),))
