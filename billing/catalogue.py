"""The catalogue as a run reads it: the prices of a month, and the tax rates."""

import json
from collections.abc import Iterable
from datetime import datetime

from django.apps import apps
from django.db.models import Q

from billing import seeding, tax
from billing.contracts.terms import parse_terms
from billing.models import Contract, Price, Product, TaxRate
from billing.month_lines import Contracted
from billing.pricebook import PriceBook, ProductInfo, Version, price_book
from billing.rating import Price as Terms
from billing.rating import price_from_json
from core import audit
from core.errors import Invalid
from core.periods import Month


def load_book(
    month: Month,
    *,
    known_at: datetime,
    until: datetime | None = None,
    cuts: Iterable[datetime] = (),
    contracts: Iterable[int] = (),
) -> PriceBook:
    """Load the products and the price versions that touch ``month``, as known at ``known_at``.

    Of ``contracts`` (rows) the own prices are loaded too, of others none.
    """
    products = [ProductInfo(*row) for row in Product.objects.values_list("code", "name", "group", "partner")]
    rows = Price.objects.touching(month.start, month.end).filter(created_at__lte=known_at).select_related("product")
    rows = rows.filter(Q(contract=None) | Q(contract__in=list(contracts)))
    versions = [
        Version(
            row.pk, row.product.code, row.currency, readable(row.terms), row.unit, row.valid_from, row.valid_to,
            row.contract_id,
        )
        for row in rows.order_by("pk")
    ]  # fmt: skip
    return price_book(month, products, versions, until, cuts)


def load_contracts(
    account_ids: Iterable[int], month: Month, *, known_at: datetime
) -> dict[tuple[int, str], Contracted]:
    """Load the contracts in force in ``month``, as known at ``known_at``: by account (row) and currency."""
    found = Contract.objects.covering(month.first_day).filter(account__in=list(account_ids), created_at__lte=known_at)
    return {
        (row.account_id, row.currency): Contracted(row.pk, parse_terms(row.terms))
        for row in found.only("account", "currency", "terms")
    }


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
