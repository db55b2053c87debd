"""Volume: the tier that the whole quantity reaches prices every unit; the bill may fall at a boundary."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.graduated import UnitTier, parse_unit_tier
from billing.rating.shape import Rated, Step, Usage
from billing.rating.tiers import containing, parse_tiers
from core.exact import ZERO
from core.fields import Fields
from core.money import total


@dataclass(frozen=True, slots=True)
class Volume:
    """Tiers of which one prices all units."""

    tiers: tuple[UnitTier, ...]
    flat_at_zero: bool = False


def parse(fields: Fields) -> Volume:
    """Read tiers written as for graduated."""
    return Volume(parse_tiers(fields, parse_unit_tier), fields.flag("flat_at_zero"))


def rate(price: Volume, usage: Usage) -> Rated:
    """Charge the whole quantity at the tier it lies in, and that tier's flat amount alone."""
    found = containing(price.tiers, usage.quantity, flat_at_zero=price.flat_at_zero)
    if found is None:
        return Rated(ZERO, ())
    label, tier = found
    steps = [Step(f"all units at {label}", usage.quantity, tier.unit_amount, usage.quantity * tier.unit_amount)]
    if tier.flat_amount:
        steps.append(Step(f"{label}: flat amount", Decimal(1), tier.flat_amount, tier.flat_amount))
    return Rated(total(step.amount for step in steps), tuple(steps))
