"""Change what a product costs: a new version from a moment on, never an edit of an old one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Q

from billing import fineness, rating
from billing.models import Price, Product, ProductGroup
from core import audit
from core.errors import Conflict, Invalid
from core.money import exponent

CHANGED_BESIDE = "Somebody else changed this price at the same moment; look at its versions again."


def schedule(
    *,
    product: Product,
    currency: str,
    terms: Mapping[str, Any],
    unit: str,
    valid_from: datetime,
    now: datetime,
    actor: str,
    reason: str,
) -> Price:
    """Let ``product`` cost ``terms`` from ``valid_from`` on; the version before it ends at that moment.

    ``terms`` are read as ``billing.rating.parse_price`` reads them. One finer than a line can keep is
    Invalid. Time that has a price keeps it: a start before
    ``now`` is Invalid where a version is in force, and allowed where none was, because usage there could not be
    rated. A version already scheduled at or after the start is a Conflict. Not repeatable.
    """
    exponent(currency)
    parsed = rating.parse_price(dict(terms))
    fineness.refuse_finer(rating.price_as_json(parsed))
    try:
        with audit.acting(actor, reason):
            _make_room(product, currency, valid_from, now)
            return Price.objects.create(
                product=product,
                currency=currency,
                model=rating.model_of(parsed),
                terms=rating.price_as_json(parsed),
                unit=unit,
                valid_from=valid_from,
            )
    except IntegrityError as error:  # the database lets no two versions overlap
        raise Conflict(CHANGED_BESIDE) from error


def _make_room(product: Product, currency: str, valid_from: datetime, now: datetime) -> None:
    """End the version in force at ``valid_from``, or say why nothing can begin there."""
    versions = Price.objects.listed().filter(product=product, currency=currency)
    in_the_way = versions.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)).order_by("valid_from").first()
    if in_the_way is None:
        return
    if valid_from < now:
        raise Invalid(
            f"{product} had a price in {currency} then, and time that was priced keeps it; choose a day to come.",
            field="valid_from",
        )
    if in_the_way.valid_from >= valid_from:
        raise Conflict(
            f"A version is already scheduled from {in_the_way.valid_from:%Y-%m-%d %H:%M} UTC; choose a later start."
        )
    if in_the_way.valid_to is not None:
        raise Conflict(f"The version before ends on {in_the_way.valid_to:%Y-%m-%d}; begin on that day or later.")
    if not versions.filter(pk=in_the_way.pk, valid_to__isnull=True).update(valid_to=valid_from):
        raise Conflict(CHANGED_BESIDE)


def add_product(*, code: str, name: str, group: str, partner: bool, actor: str, reason: str) -> Product:
    """Sell something new under the ``code`` that usage names; it costs nothing until a price is scheduled.

    Raises Invalid for a code or a group that cannot be, Conflict when the code is taken.
    """
    if not code or code != code.strip() or len(code) > 200 or not code.isprintable():
        raise Invalid("A code has 1 to 200 characters as usage names it, without spaces around it.", field="code")
    if group not in ProductGroup.values:
        raise Invalid(f"{group!r} is not a product group; use one of {', '.join(ProductGroup.values)}.", field="group")
    if Product.objects.filter(code=code).exists():
        raise Conflict(f"There is a product {code} already; schedule its price instead.")
    with audit.acting(actor, reason):
        return Product.objects.create(code=code, name=name or code, group=group, partner=partner)
