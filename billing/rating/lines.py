"""Rated lines: what the month close writes, one per account, app and product, rounded once."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing.rating import MODELS, WAYS, Price, Step, Usage, rate
from billing.rating.hourly_capped import SECONDS as HOUR
from billing.rating.shape import QUANTITY_PLACES, month_of
from core.exact import quotient
from core.periods import Month

BY_TIME: Final = {"month", "hour"}


@dataclass(frozen=True, slots=True)
class RatedLine:
    """One line: ``amount`` is rounded half up to the currency, ``unrounded`` is what it was rounded from.

    ``quantity`` counts in ``unit`` (months and hours with up to 10 digits after the point); ``unit_amount`` is
    None when the model has no single one.
    """

    amount: Decimal
    unrounded: Decimal
    quantity: Decimal
    unit: str
    unit_amount: Decimal | None
    steps: tuple[Step, ...]


def is_by_time(price: Price) -> bool:
    """Say whether the price's quantity is given in seconds."""
    return WAYS[MODELS[type(price)]].unit in BY_TIME


def rate_line(
    price: Price,
    quantity: Decimal,
    month: Month,
    currency: str,
    events: tuple[Decimal, ...] | None = None,
) -> RatedLine:
    """Rate one line of a month: ``quantity`` in seconds when ``is_by_time(price)``, else in the meter's unit."""
    usage = Usage(quantity, month, events)
    rated = rate(price, usage)
    unit = WAYS[MODELS[type(price)]].unit
    unit_amount: Decimal | None = getattr(price, "unit_amount", None)
    return RatedLine(rated.rounded(currency), rated.unrounded, _counted(usage, unit), unit, unit_amount, rated.steps)


def _counted(usage: Usage, unit: str) -> Decimal:
    """Return the quantity in the unit that the line shows."""
    if unit not in BY_TIME:
        return usage.quantity
    return quotient(usage.quantity, month_of(usage).seconds if unit == "month" else HOUR, QUANTITY_PLACES)
