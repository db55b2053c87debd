"""Package: units are sold by the bundle, and a started bundle is charged in full."""

from dataclasses import dataclass
from decimal import Decimal

from billing.rating.shape import Rated, Step, Usage
from core.exact import ZERO, plain
from core.fields import Fields


@dataclass(frozen=True, slots=True)
class Package:
    """``unit_amount`` for each ``package_size`` units after the ``free_units``."""

    package_size: Decimal
    unit_amount: Decimal
    free_units: Decimal = ZERO


def parse(fields: Fields) -> Package:
    """Read ``{"package_size": "100", "unit_amount": "5", "free_units": "100"}``; no free units by default."""
    return Package(
        fields.positive("package_size"), fields.decimal("unit_amount"), fields.decimal("free_units", default=ZERO)
    )


def rate(price: Package, usage: Usage) -> Rated:
    """Charge whole packages for what lies above the free units."""
    charged = max(usage.quantity - price.free_units, ZERO)
    packages, rest = divmod(charged, price.package_size)
    packages += bool(rest)
    amount = price.unit_amount * packages
    steps = [
        Step(f"packages of {plain(price.package_size)}, a started one in full", packages, price.unit_amount, amount)
    ]
    if price.free_units:
        steps.insert(0, Step("free units", usage.quantity - charged, ZERO, ZERO))
    return Rated(amount, tuple(steps))
