"""Plant the default catalogue where there is none: from the first migration, and again in emptied test databases."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from billing import default_catalogue as default

GetModel = Callable[[str, str], Any]


def plant(get_model: GetModel) -> None:
    """Add what is missing of the default seller, products, prices and tax rates; never touch what is there.

    ``get_model`` is an app registry's, so that a migration can pass its own. Runs in the caller's transaction,
    signed by the caller. Repeatable.
    """
    seller = get_model("billing", "Seller")
    if not seller.objects.filter(is_default=True).exists():
        seller.objects.get_or_create(code=default.SELLER["code"], defaults=default.SELLER)
    _plant_products(get_model)
    rates = get_model("billing", "TaxRate").objects
    for name, country, region, rate in default.TAX_RATES:
        if not rates.filter(country=country, region=region).exists():
            rates.create(name=name, country=country, region=region, rate=Decimal(rate), valid_from=default.TAXES_FROM)


def _plant_products(get_model: GetModel) -> None:
    products, prices = get_model("billing", "Product").objects, get_model("billing", "Price").objects
    for code, name, group, partner, model, terms, unit in default.PRODUCTS:
        product, _ = products.get_or_create(code=code, defaults={"name": name, "group": group, "partner": partner})
        for currency in default.CURRENCIES:
            if not prices.filter(product=product, currency=currency).exists():
                prices.create(
                    product=product,
                    currency=currency,
                    model=model,
                    terms=default.terms_in(currency, model, terms),
                    unit=unit,
                    valid_from=default.VALID_FROM,
                )
