"""Rating: what a quantity costs under a price, exactly, with the steps that lead there. Pure: no database, no clock."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from billing.rating import (
    flat,
    graduated,
    graduated_percentage,
    hourly_capped,
    package,
    per_unit,
    percentage,
    prorated,
    stairs,
    volume,
)
from billing.rating.shape import Rated, Step, Usage, steps_as_json
from core.errors import Invalid
from core.exact import EXACT, plain
from core.fields import Fields, shown

__all__ = [
    "WAYS",
    "Model",
    "Price",
    "Rated",
    "Step",
    "Usage",
    "model_of",
    "parse_price",
    "price_as_json",
    "price_from_json",
    "rate",
    "steps_as_json",
]

Price = (
    prorated.Prorated
    | hourly_capped.HourlyCapped
    | flat.Flat
    | per_unit.PerUnit
    | graduated.Graduated
    | volume.Volume
    | package.Package
    | percentage.Percentage
    | graduated_percentage.GraduatedPercentage
    | stairs.Stairs
)


class Model(StrEnum):
    """The ways to price, by the names that price lists use."""

    PRORATED = "prorated"
    HOURLY_CAPPED = "hourly_capped"
    FLAT = "flat"
    PER_UNIT = "per_unit"
    GRADUATED = "graduated"
    VOLUME = "volume"
    PACKAGE = "package"
    PERCENTAGE = "percentage"
    GRADUATED_PERCENTAGE = "graduated_percentage"
    STAIRS = "stairs"


class Way(NamedTuple):
    """How one model is read and rated, and the unit in which its lines count."""

    price: type
    parse: Callable[[Fields], Price]
    rate: Callable[[Any, Usage], Rated]
    unit: str


WAYS: Final[Mapping[Model, Way]] = {
    Model.PRORATED: Way(prorated.Prorated, prorated.parse, prorated.rate, "month"),
    Model.HOURLY_CAPPED: Way(hourly_capped.HourlyCapped, hourly_capped.parse, hourly_capped.rate, "hour"),
    Model.FLAT: Way(flat.Flat, flat.parse, flat.rate, "fee"),
    Model.PER_UNIT: Way(per_unit.PerUnit, per_unit.parse, per_unit.rate, "unit"),
    Model.GRADUATED: Way(graduated.Graduated, graduated.parse, graduated.rate, "unit"),
    Model.VOLUME: Way(volume.Volume, volume.parse, volume.rate, "unit"),
    Model.PACKAGE: Way(package.Package, package.parse, package.rate, "unit"),
    Model.PERCENTAGE: Way(percentage.Percentage, percentage.parse, percentage.rate, "amount"),
    Model.GRADUATED_PERCENTAGE: Way(
        graduated_percentage.GraduatedPercentage, graduated_percentage.parse, graduated_percentage.rate, "amount"
    ),
    Model.STAIRS: Way(stairs.Stairs, stairs.parse, stairs.rate, "unit"),
}
MODELS: Final[Mapping[type, Model]] = {way.price: model for model, way in WAYS.items()}
RATERS: Final[Mapping[type, Callable[[Any, Usage], Rated]]] = {way.price: way.rate for way in WAYS.values()}
assert WAYS.keys() == set(Model), "every model needs exactly one way to price"  # noqa: S101
assert len(MODELS) == len(WAYS), "every model needs a price type of its own"  # noqa: S101


def parse_price(value: object, path: str = "price") -> Price:
    """Read a price, for example ``{"model": "per_unit", "unit_amount": "0.05"}``; amounts are decimal strings.

    A mistake raises Invalid with the path of the field, such as ``price.tiers[1].up_to``.
    """
    fields = Fields(value, path)
    name = fields.text("model")
    try:
        model = Model(name)
    except ValueError:
        place = fields.at("model")
        raise Invalid(f"{place} must be one of {', '.join(Model)}; it is {shown(name)}.", field=place) from None
    price = WAYS[model].parse(fields)
    fields.done(f"a {model} price")
    return price


@lru_cache(maxsize=10_000)
def price_from_json(text: str) -> Price:
    """Read a price that was stored as JSON text; the same text is parsed once."""
    return parse_price(json.loads(text))


def model_of(price: Price) -> Model:
    """Return the name of a price's model."""
    return MODELS[type(price)]


def price_as_json(price: Price) -> dict[str, Any]:
    """Write a price as the JSON object that ``parse_price`` reads back to an equal one."""
    return {"model": str(model_of(price)), **_as_json(price)}


def rate(price: Price, usage: Usage) -> Rated:
    """Price a usage exactly; nothing is rounded before ``Rated.rounded``. Repeatable: same in, same out."""
    with localcontext(EXACT):
        return RATERS[type(price)](price, usage)


def _as_json(value: Any) -> Any:
    """Write decimals as plain strings, tiers as lists of objects, the rest as it is."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, tuple):
        return [_as_json(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _as_json(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
