"""Configuration is checked before it can hurt: prices that cannot be read fail ``check``, not the nightly run."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register

from billing.catalogue import readable
from billing.models import Price, PriceModel, Seller
from billing.rating import Model


@register(Tags.models)
def models_have_raters(**kwargs: Any) -> list[CheckMessage]:
    """Every way to price that a price may name is one that rating knows, and the other way round."""
    if set(PriceModel.values) == {str(model) for model in Model}:
        return []
    return [Error("PriceModel and billing.rating.Model name different ways to price.", id="billing.E001")]


@register(Tags.database)
def stored_prices_can_be_rated(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Every stored price can be read, and there is a seller; runs with ``check --database default``."""
    if not databases or "default" not in databases or not _migrated():
        return []
    wrong: list[CheckMessage] = [
        Error(f"Price {key} of {product} cannot be rated; end it and add another.", id="billing.E002")
        # By name, because this also runs before a migration that adds a column to a price.
        for key, product, model, terms in Price.objects.values_list("pk", "product__name", "model", "terms")
        if readable(terms) is None or terms.get("model") != model
    ]
    if not Seller.objects.filter(is_default=True).exists():
        wrong.append(Warning("There is no default seller: no month can be closed.", id="billing.W001"))
    return wrong


def _migrated() -> bool:
    from django.db import connection

    tables = connection.introspection.table_names()
    return {Price._meta.db_table, Seller._meta.db_table} <= set(tables)
