"""Change what a product costs: a new version from a moment on, never an edit of an old one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing import rating
from billing.models import Price, Product
from core import audit
from core.errors import Conflict, Invalid
from core.money import exponent


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

    ``terms`` are read as ``billing.rating.parse_price`` reads them. A start before ``now`` is Invalid, because
    time that was rated keeps its price; a version already scheduled at or after the start is a Conflict.
    """
    exponent(currency)
    if valid_from < now:
        raise Invalid("A price cannot begin in the past; choose a moment to come", field="valid_from")
    parsed = rating.parse_price(dict(terms))
    with audit.acting(actor, reason):
        versions = Price.objects.select_for_update().filter(product=product, currency=currency).order_by("valid_from")
        later = versions.filter(valid_from__gte=valid_from).first()
        if later is not None:
            raise Conflict(
                f"A version is already scheduled from {later.valid_from:%Y-%m-%d %H:%M} UTC; choose a later start"
            )
        versions.filter(valid_to__isnull=True).update(valid_to=valid_from)
        return Price.objects.create(
            product=product,
            currency=currency,
            model=rating.model_of(parsed),
            terms=rating.price_as_json(parsed),
            unit=unit,
            valid_from=valid_from,
        )
