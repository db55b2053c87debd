"""A contract as people speak of it: one line per thing that was agreed."""

from collections.abc import Iterator
from decimal import Decimal

from billing.contracts.terms import Allowance, Discount, parse_terms
from billing.models import Contract, ProductGroup
from core import formatting


def in_words(contract: Contract) -> list[str]:
    """Return what a contract says, its prices (with products) loaded; nothing of its own is an empty list."""
    return list(_said(contract))


def _said(contract: Contract) -> Iterator[str]:
    terms, currency = parse_terms(contract.terms), contract.currency
    for price in contract.prices.all():
        amount = price.terms.get("unit_amount")
        cost = formatting.price(amount, currency) if amount else price.get_model_display().lower()
        yield f"{price.product.name} for {cost} a {price.unit}"
    for allowance in terms.allowances:
        yield _allowance(allowance)
    for discount in terms.discounts:
        yield _discount(discount, currency)
    if terms.commitment:
        beyond = terms.commitment.overage_rate
        cheaper = f"; what is beyond it costs {_percent(beyond)} less" if beyond else ""
        yield f"At least {_money(terms.commitment.amount, currency)} a month are committed to{cheaper}"
    if terms.minimum_spend is not None:
        yield f"At least {_money(terms.minimum_spend, currency)} are charged each month"
    if terms.maximum_spend is not None:
        yield f"At most {_money(terms.maximum_spend, currency)} are charged each month"


def _allowance(allowance: Allowance) -> str:
    whose = "each app" if allowance.per == "app" else "all apps together"
    named = ", ".join(sorted(allowance.products))
    return f"{allowance.name}: {formatting.quantity(allowance.quantity)} a month free for {whose}, of {named}"


def _discount(discount: Discount, currency: str) -> str:
    off = _percent(discount.rate) if discount.rate is not None else _money(discount.amount or Decimal(0), currency)
    labels = dict(ProductGroup.choices)
    scope = [labels.get(group, group) for group in sorted(discount.groups)] + sorted(discount.products)
    what = f" {', '.join(scope)}" if scope else " everything"
    others = "" if discount.partners else " but third parties' products"
    until = f", until {formatting.month(discount.until.first_day)}" if discount.until else ""
    return f"{discount.name}: {off} off{what}{others}{until}"


def _percent(rate: Decimal) -> str:
    return f"{formatting.quantity(rate * 100)} %"


def _money(amount: Decimal, currency: str) -> str:
    return formatting.amount_with_currency(amount, currency)
