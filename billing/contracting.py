"""Agree with an account on terms of its own for some months, or let them end; never an edit of what was agreed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, transaction

from accounts.models import Account
from billing import fineness, rating
from billing.contracts.terms import Terms, parse_terms, terms_as_json
from billing.models import Contract, Price, Product, ProductGroup, Run, RunState
from core import audit
from core.errors import Conflict, Invalid, NotFound
from core.money import round_to_minor_unit
from core.periods import Month

OVERLAPS: Final = "The account has another contract in some of these months; let that one end before."


class OwnPrice(NamedTuple):
    """What one product costs under the contract: terms as ``billing.rating.parse_price`` reads them, and the unit."""

    product: str
    terms: Mapping[str, Any]
    unit: str


def agree(
    account_id: int,
    *,
    name: str,
    valid_from: Month,
    valid_to: Month | None,
    terms: Mapping[str, Any],
    prices: Sequence[OwnPrice] = (),
    reason: str,
    actor: str,
) -> Contract:
    """Make a contract for the months from ``valid_from`` on, up to and without ``valid_to``; return it.

    Raises Invalid with the field for terms that cannot be, and for months that a run has drafted or issued; Conflict
    when the account has a contract then. Not repeatable: a second call finds the first one's contract in the way.
    """
    account = Account.objects.get(pk=account_id)
    parsed = check(terms, prices, account.currency)
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid("A contract ends after it begins.", field="valid_to")
    _refuse_billed(valid_from, "valid_from")
    try:
        with audit.acting(actor, reason), transaction.atomic():
            contract = Contract.objects.create(
                account=account,
                currency=account.currency,
                name=name,
                valid_from=valid_from.first_day,
                valid_to=valid_to.first_day if valid_to else None,
                terms=terms_as_json(parsed),
                reason=reason,
                created_by=actor,
            )
            Price.objects.bulk_create(_rows(contract, prices))
    except IntegrityError as error:
        raise Conflict(OVERLAPS) from error
    return contract


def end(contract_id: int, *, valid_to: Month, reason: str, actor: str) -> Contract:
    """Let a contract without an end cover no month from ``valid_to`` on, its prices neither.

    Raises NotFound, Conflict when it has an end, and Invalid for a month before it begins or one that a run has
    drafted or issued.
    """
    with audit.acting(actor, reason):
        contract = Contract.objects.select_for_update().filter(pk=contract_id).first()
        if contract is None:
            raise NotFound("There is no such contract.")
        if contract.valid_to is not None:
            raise Conflict(f"{contract.name} ends with {contract.valid_to:%B %Y} already.")
        if valid_to.first_day <= contract.valid_from:
            raise Invalid("A contract ends after it begins.", field="valid_to")
        _refuse_billed(valid_to, "valid_to")
        contract.valid_to = valid_to.first_day
        contract.save(update_fields=["valid_to"])
        contract.prices.update(valid_to=_midnight(contract.valid_to))
    return contract


def check(terms: Mapping[str, Any], prices: Sequence[OwnPrice], currency: str) -> Terms:
    """Return the terms as read; raise Invalid with the field for what this platform or currency cannot do."""
    parsed = parse_terms(dict(terms))
    commitment = parsed.commitment.amount if parsed.commitment else None
    amounts = [parsed.minimum_spend, parsed.maximum_spend, commitment, *(d.amount for d in parsed.discounts)]
    for amount in amounts:
        if amount is not None and amount != round_to_minor_unit(amount, currency):
            raise Invalid(f"{amount} is not a whole number of coins of {currency}.", field="terms")
    named = {price.product for price in prices}
    named |= {code for allowance in parsed.allowances for code in allowance.products}
    named |= {code for discount in parsed.discounts for code in discount.products}
    if missing := named - set(Product.objects.filter(code__in=named).values_list("code", flat=True)):
        raise Invalid(f"Nothing is sold as {sorted(missing)[0]!r:.80}; see the price list.", field="terms")
    groups = {group for discount in parsed.discounts for group in discount.groups}
    if unknown := groups - set(ProductGroup.values):
        raise Invalid(
            f"{sorted(unknown)[0]!r:.40} is not a product group; use {', '.join(ProductGroup.values)}.", field="terms"
        )
    if len({price.product for price in prices}) < len(prices):
        raise Invalid("Give each product one price.", field="prices")
    for price in prices:
        rating.parse_price(dict(price.terms), f"prices.{price.product}")
        fineness.refuse_finer({"prices": {price.product: dict(price.terms)}})
    return parsed


def _rows(contract: Contract, prices: Sequence[OwnPrice]) -> list[Price]:
    products = Product.objects.in_bulk([price.product for price in prices], field_name="code")
    rows = []
    for price in prices:
        parsed = rating.parse_price(dict(price.terms))
        rows.append(
            Price(
                contract=contract,
                product=products[price.product],
                currency=contract.currency,
                model=rating.model_of(parsed),
                terms=rating.price_as_json(parsed),
                unit=price.unit,
                valid_from=_midnight(contract.valid_from),
                valid_to=_midnight(contract.valid_to) if contract.valid_to else None,
            )
        )
    return rows


def _refuse_billed(month: Month, field: str) -> None:
    """Refuse a change in a month that a run has drafts or invoices of: they would not heed it."""
    live = Run.objects.filter(shadow=False, month__gte=month.first_day).exclude(state=RunState.CANCELLED)
    if latest := live.order_by("-month").first():
        following = Month.containing(latest.month).next
        raise Invalid(f"{latest} has rated that month; choose {following} or a later one.", field=field)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
