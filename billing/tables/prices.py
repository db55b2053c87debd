"""The list of products, each with what it costs today."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import django_tables2 as tables

from billing.models import Price, Product
from core import formatting
from core.tables import VaultTable


def address(record: Product) -> str:
    """Return the page of a product; codes are the platform's and may hold any character."""
    return f"/prices/{quote(record.code, safe='')}/"


class ProductTable(VaultTable):
    """Products whose ``prices`` are prefetched; ``now`` says which of them are in force."""

    noun = "product"
    name = tables.Column(linkify=address, verbose_name="Product")
    code = tables.Column(attrs={"td": {"class": "mono"}})
    group = tables.Column(accessor="get_group_display", order_by="group")
    partner = tables.Column(verbose_name="Sold by", order_by="partner")
    costs = tables.Column(orderable=False, empty_values=(), verbose_name="Price today")

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def render_partner(self, value: bool) -> str:
        return "third party" if value else "us"

    def render_costs(self, record: Product) -> str:
        prices = sorted(record.prices.all(), key=lambda price: price.currency)
        return " · ".join(in_words(price) for price in prices if state(price, self.now) == "current") or "no price"


def in_words(price: Price) -> str:
    """Say a price in one breath: ``50.00 USD / month`` or ``graduated USD / request``."""
    amount, size = price.terms.get("unit_amount"), price.terms.get("package_size")
    costs = formatting.price(amount, price.currency) if amount is not None else f"{price.model} {price.currency}"
    per = f"{formatting.quantity(size)} {price.unit}" if size else price.unit
    return f"{costs.replace('_', ' ')} / {per}"


def state(price: Price, now: datetime) -> str:
    """Say whether a version is ``scheduled``, ``current`` or ``past`` at ``now``."""
    if price.valid_from > now:
        return "scheduled"
    return "past" if price.valid_to is not None and price.valid_to <= now else "current"
