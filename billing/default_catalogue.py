"""What a new house can bill on its first day: a seller, products with prices, and tax rates. Pure data."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from core.money import round_to_minor_unit

VALID_FROM: Final = datetime(2012, 1, 1, tzinfo=UTC)
TAXES_FROM: Final = date(2012, 1, 1)
CURRENCIES: Final[Mapping[str, int]] = {"USD": 1, "EUR": 1, "JPY": 150}  # list prices, as multiples of the dollar's

SELLER: Final[Mapping[str, Any]] = {
    "code": "VAULT",
    "name": "Platform Example, Inc.",
    "address": "100 Example Street\nSan Francisco, CA 94103\nUnited States",
    "country": "US",
    "tax_id": "US-00-0000000",
    "email": "billing@platform.example",
    "payment_instructions": "Your card on file is charged on the due date. By bank transfer, state the invoice number.",
    "is_default": True,
}

# code, name, group, partner, model, terms in dollars, unit as printed
PRODUCTS: Final = (
    ("eco", "Eco", "dyno", False, "flat", {"unit_amount": "5.00"}, "subscription"),
    ("basic", "Basic", "dyno", False, "prorated", {"unit_amount": "7.00"}, "month"),
    ("hobby", "Hobby", "dyno", False, "prorated", {"unit_amount": "7.00"}, "month"),
    ("standard-1x", "Standard-1X", "dyno", False, "prorated", {"unit_amount": "25.00"}, "month"),
    ("standard-2x", "Standard-2X", "dyno", False, "prorated", {"unit_amount": "50.00"}, "month"),
    ("performance-m", "Performance-M", "dyno", False, "prorated", {"unit_amount": "250.00"}, "month"),
    ("performance-l", "Performance-L", "dyno", False, "prorated", {"unit_amount": "500.00"}, "month"),
    ("mini-postgres", "Mini Postgres", "data", False, "prorated", {"unit_amount": "5.00"}, "month"),
    ("postgres-standard-0", "Standard-0 Postgres", "data", False, "prorated", {"unit_amount": "50.00"}, "month"),
    ("mini-key-value", "Mini Key-Value", "data", False, "prorated", {"unit_amount": "3.00"}, "month"),
    ("log-drain-choklad", "Log Drain", "addon", True, "prorated", {"unit_amount": "10.00"}, "month"),
    ("object-storage", "Object Storage", "data", False, "prorated", {"unit_amount": "0.25"}, "GB-month"),
    (
        "router-requests",
        "Router requests",
        "other",
        False,
        "package",
        {"package_size": "1000000", "unit_amount": "0.20"},
        "request",
    ),
)

# name, country, region, rate
TAX_RATES: Final = (
    ("Sales tax", "US", "DC", "0.06"),
    ("VAT", "DE", "", "0.19"),
    ("VAT", "FR", "", "0.20"),
    ("VAT", "IE", "", "0.23"),
    ("VAT", "GB", "", "0.20"),
    ("VAT", "CH", "", "0.081"),
    ("Consumption tax", "JP", "", "0.10"),
)


def terms_in(currency: str, model: str, terms: Mapping[str, str]) -> dict[str, str]:
    """Return a price's terms in a currency of CURRENCIES; whole coins only."""
    amount = Decimal(terms["unit_amount"]) * CURRENCIES[currency]
    return {"model": model, **terms, "unit_amount": str(round_to_minor_unit(amount, currency))}
