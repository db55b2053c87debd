"""The catalogue as a run reads it: the prices of a month, and the tax rates."""

import json
from collections.abc import Iterable
from datetime import datetime

from django.apps import apps

from billing import seeding, tax
from billing.models import Price, Product, TaxRate
from billing.pricebook import PriceBook, ProductInfo, Version, price_book
from billing.rating import Price as Terms
from billing.rating import price_from_json
from core import audit
from core.errors import Invalid
from core.periods import Month


def load_book(
    month: Month, *, known_at: datetime, until: datetime | None = None, cuts: Iterable[datetime] = ()
) -> PriceBook:
    """Load the products and the price versions that touch ``month``, as known at ``known_at``."""
    products = [ProductInfo(*row) for row in Product.objects.values_list("code", "name", "group", "partner")]
    rows = Price.objects.touching(month.start, month.end).filter(created_at__lte=known_at).select_related("product")
    versions = [
        Version(row.pk, row.product.code, row.currency, readable(row.terms), row.unit, row.valid_from, row.valid_to)
        for row in rows.order_by("pk")
    ]
    return price_book(month, products, versions, until, cuts)


def readable(terms: object) -> Terms | None:
    """Return stored terms as a price, or None when they say nothing that can be rated."""
    try:
        return price_from_json(json.dumps(terms, sort_keys=True))
    except Invalid:
        return None


def load_tax_rates() -> list[tax.Rate]:
    """Load every tax rate there is; they are few."""
    return [
        tax.Rate(row.name, row.rate, row.country, row.region, row.valid_from, row.valid_to)
        for row in TaxRate.objects.order_by("pk")
    ]


def seed() -> None:
    """Plant what is missing of the default catalogue; repeatable."""
    with audit.acting("system:seed", "default catalogue"):
        seeding.plant(apps.get_model)
