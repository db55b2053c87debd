"""What a contract says, apart from its own prices: allowances, discounts, and bounds of a month's spend."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

from core.errors import Invalid
from core.exact import ZERO, plain
from core.fields import Fields
from core.periods import InvalidMonth, Month

LONGEST_NAME: Final = 80
MOST: Final = 50  # of each kind; beyond it a contract is a price list
Per = Literal["account", "app"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Allowance:
    """``quantity`` of the products together is free each month: once for the account, or once for each app.

    It counts in hours for prices by time and in the meter's unit for the others. A free quota and a pool are the
    same thing, per app or per account.
    """

    name: str
    products: frozenset[str]
    quantity: Decimal
    per: Per = "account"


@dataclass(frozen=True, slots=True)
class Discount:
    """A ``rate`` (0.1 is 10 %) or an ``amount`` off what is charged each month for what is in scope.

    ``products`` and ``groups`` narrow the scope (both empty: everything); ``partners`` says whether third parties'
    products are in it. The last month it applies to is ``until``.
    """

    name: str
    rate: Decimal | None = None
    amount: Decimal | None = None
    products: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    partners: bool = True
    until: Month | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """At least ``amount`` is charged each month; what is used beyond it costs ``overage_rate`` less (0.2: 20 %)."""

    amount: Decimal
    overage_rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Terms:
    """The whole of a contract's terms; an empty one changes nothing."""

    allowances: tuple[Allowance, ...] = ()
    discounts: tuple[Discount, ...] = ()
    commitment: Commitment | None = None
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None


def parse_terms(value: object, path: str = "terms") -> Terms:
    """Read terms as a contract keeps them; a mistake raises Invalid with its path, such as ``terms.discounts[0].rate``.

    ``{"allowances": [{"name": "Included hours", "products": ["eco"], "quantity": "1000", "per": "account"}],
    "discounts": [{"name": "Partner", "rate": "0.1", "groups": ["dyno"], "until": "2027-03"}],
    "commitment": {"amount": "1000", "overage_rate": "0.2"}, "minimum_spend": "50", "maximum_spend": "5000"}``;
    every part may be left out.
    """
    fields = Fields(value, path)
    allowances = _several(fields, "allowances", _allowance)
    discounts = _several(fields, "discounts", _discount)
    commitment = (
        _commitment(Fields(fields.take("commitment"), f"{path}.commitment")) if fields.has("commitment") else None
    )
    minimum, maximum = _optional(fields, "minimum_spend"), _optional(fields, "maximum_spend")
    fields.done("a contract's terms")
    least = max(minimum or ZERO, commitment.amount if commitment else ZERO)
    if maximum is not None and maximum < least:
        place = f"{path}.maximum_spend"
        raise Invalid(f"{place} must not be below the {plain(least)} that is charged at least.", field=place)
    _named_once([*allowances, *discounts], path)
    return Terms(allowances, discounts, commitment, minimum, maximum)


def terms_as_json(terms: Terms) -> dict[str, Any]:
    """Write terms as the JSON object that ``parse_terms`` reads back to equal ones; what is not said is left out."""
    said: dict[str, Any] = {
        "allowances": [
            {"name": a.name, "products": sorted(a.products), "quantity": plain(a.quantity), "per": a.per}
            for a in terms.allowances
        ],
        "discounts": [_discount_as_json(discount) for discount in terms.discounts],
        "minimum_spend": _plain_or_none(terms.minimum_spend),
        "maximum_spend": _plain_or_none(terms.maximum_spend),
    }
    if terms.commitment:
        said["commitment"] = {
            "amount": plain(terms.commitment.amount),
            "overage_rate": plain(terms.commitment.overage_rate),
        }
    return {name: value for name, value in said.items() if value not in (None, [])}


def _allowance(fields: Fields) -> Allowance:
    name, products = _name(fields), _codes(fields, "products")
    if not products:
        raise Invalid(f"{fields.at('products')} must name at least one product.", field=fields.at("products"))
    quantity, per = fields.positive("quantity"), fields.text("per") if fields.has("per") else "account"
    if per not in ("account", "app"):
        raise Invalid(f"{fields.at('per')} must be account or app.", field=fields.at("per"))
    fields.done("an allowance")
    return Allowance(name, products, quantity, "app" if per == "app" else "account")


def _discount(fields: Fields) -> Discount:
    name = _name(fields)
    rate, amount = _rate(fields, "rate") if fields.has("rate") else None, _optional(fields, "amount")
    if (rate is None) == (amount is None):
        raise Invalid(f"{fields.path} needs either a rate or an amount.", field=fields.at("rate"))
    products, groups = _codes(fields, "products"), _codes(fields, "groups")
    partners = fields.flag("partners") if fields.has("partners") else True
    until = _month(fields, "until") if fields.has("until") else None
    fields.done("a discount")
    return Discount(name, rate, amount, products, groups, partners, until)


def _discount_as_json(discount: Discount) -> dict[str, Any]:
    said = {
        "name": discount.name,
        "rate": _plain_or_none(discount.rate),
        "amount": _plain_or_none(discount.amount),
        "products": sorted(discount.products),
        "groups": sorted(discount.groups),
        "until": str(discount.until) if discount.until else None,
    }
    kept: dict[str, Any] = {name: value for name, value in said.items() if value not in (None, [])}
    return kept if discount.partners else {**kept, "partners": False}


def _commitment(fields: Fields) -> Commitment:
    amount = fields.positive("amount")
    rate = _rate(fields, "overage_rate") if fields.has("overage_rate") else ZERO
    fields.done("a commitment")
    return Commitment(amount, rate)


def _several(fields: Fields, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
    if not fields.has(name):
        return ()
    items = fields.items(name)
    if len(items) > MOST:
        raise Invalid(
            f"{fields.at(name)} has {len(items)} entries; a contract has {MOST} at most.", field=fields.at(name)
        )
    return tuple(read(Fields(item, path)) for path, item in items)


def _name(fields: Fields) -> str:
    name = fields.text("name").strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        place = fields.at("name")
        raise Invalid(f"{place} must have 1 to {LONGEST_NAME} characters; the invoice prints it.", field=place)
    return name


def _named_once(named: list[Allowance | Discount], path: str) -> None:
    names = [item.name for item in named]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Invalid(f"{path} has two parts named {twice[0]!r}; the invoice could not tell them apart.", field=path)


def _codes(fields: Fields, name: str) -> frozenset[str]:
    if not fields.has(name):
        return frozenset()
    codes = set()
    for path, value in fields.items(name):
        if not isinstance(value, str) or not value:
            raise Invalid(f"{path} must be a code.", field=path)
        codes.add(value)
    return frozenset(codes)


def _rate(fields: Fields, name: str) -> Decimal:
    rate = fields.positive(name)
    if rate > 1:
        place = fields.at(name)
        raise Invalid(f"{place} is a fraction up to 1: write 0.1 for 10 %.", field=place)
    return rate


def _optional(fields: Fields, name: str) -> Decimal | None:
    return fields.positive(name) if fields.has(name) else None


def _month(fields: Fields, name: str) -> Month:
    try:
        return Month.parse(fields.text(name))
    except InvalidMonth as error:
        raise Invalid(f"{fields.at(name)} must be a month such as 2027-03.", field=fields.at(name)) from error


def _plain_or_none(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
