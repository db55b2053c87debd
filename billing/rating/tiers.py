"""Tiers: the ladder that four models climb. A boundary belongs to the lower tier, and tiers may be fractional."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from core.errors import Invalid
from core.exact import ZERO, plain
from core.fields import Fields

MOST_TIERS: Final = 1000


class Tier(Protocol):
    """Anything with an upper boundary that still belongs to it; None means without end."""

    @property
    def up_to(self) -> Decimal | None: ...


T = TypeVar("T", bound=Tier)


def parse_tiers(fields: Fields, build: Callable[[Fields, Decimal | None], T]) -> tuple[T, ...]:
    """Read ``tiers``, which must ascend and end in ``"up_to": null``; ``build`` reads what one tier charges."""
    path, tiers = fields.at("tiers"), list[T]()
    items = fields.items("tiers")
    if not 1 <= len(items) <= MOST_TIERS:
        raise Invalid(f"{path} must hold 1 to {MOST_TIERS} tiers; it holds {len(items)}.", field=path)
    floor = ZERO
    for place, item in items:
        tier = Fields(item, place)
        up_to = tier.nullable_decimal("up_to")
        if (up_to is None) != (place == items[-1][0]):
            wanted = "null in the last tier" if up_to is not None else "a number in every tier but the last"
            raise Invalid(f"{place}.up_to must be {wanted}.", field=f"{place}.up_to")
        if up_to is not None and up_to <= floor:
            sentence = f"{place}.up_to must be above {plain(floor)}, where the tier before ends; it is {plain(up_to)}."
            raise Invalid(sentence, field=f"{place}.up_to")
        tiers.append(build(tier, up_to))
        tier.done("this tier")
        floor = up_to or floor
    return tuple(tiers)


def unit_or_flat(tier: Fields, unit: str) -> tuple[Decimal, Decimal]:
    """Read what a tier charges per ``unit`` and once; either may be left out, not both."""
    default = ZERO if tier.has("flat_amount") else None
    return tier.decimal(unit, default), tier.decimal("flat_amount", ZERO)


def slices(tiers: Sequence[T], quantity: Decimal, *, flat_at_zero: bool) -> Iterator[tuple[str, T, Decimal]]:
    """Yield each tier that ``quantity`` enters, with its name and the units that fall into it.

    Without usage no tier is entered, unless the price says ``flat_at_zero``: then the first one is, with no units.
    """
    floor = ZERO
    for number, tier in enumerate(tiers, 1):
        if quantity <= floor and not (flat_at_zero and number == 1):
            return
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        yield name(number, floor, tier.up_to), tier, top - floor
        floor = top


def containing(tiers: Sequence[T], quantity: Decimal, *, flat_at_zero: bool) -> tuple[str, T] | None:
    """Return the one tier in which ``quantity`` lies, with its name; None when no tier was entered."""
    if not quantity and not flat_at_zero:
        return None
    floor = ZERO
    for number, tier in enumerate(tiers, 1):
        if tier.up_to is None or quantity <= tier.up_to:
            return name(number, floor, tier.up_to), tier
        floor = tier.up_to
    raise AssertionError("the last tier has no end")


def name(number: int, floor: Decimal, up_to: Decimal | None) -> str:
    """Say which tier it is and what it spans."""
    above = f"above {plain(floor)}" if floor or up_to is None else ""
    until = f"up to {plain(up_to)}" if up_to is not None else ""
    return f"tier {number}, {' '.join(filter(None, (above, until)))}"
