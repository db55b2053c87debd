"""Quotes by the price list: what a usage would cost under a product's stored price. Writes nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing import quoting
from billing.models import Price, Product
from core.errors import Invalid, NotFound
from core.fields import Fields, moment
from core.formatting import iso
from core.money import exponent


def quote(request: object, *, now: datetime) -> dict[str, Any]:
    """Answer as ``quoting.quote`` does; a request may name a ``product`` instead of giving a ``price``.

    The product's price in force at ``at`` (default: ``now``) counts, and the answer says which version that was.
    Raises Invalid with the field that is wrong, NotFound for a product or a price that does not exist.
    """
    if not isinstance(request, Mapping) or "product" not in request:
        return quoting.quote(request)
    fields = Fields(request)
    code, currency = fields.text("product"), fields.text("currency")
    exponent(currency)
    at = _at(fields, now)
    if fields.has("price"):
        raise Invalid("Give a product or a price, not both.", field="price")
    version = _in_force(code, currency, at)
    rest = {name: value for name, value in request.items() if name not in ("product", "at")}
    answer = quoting.quote(rest | {"price": version.terms})
    said = {"product": code, "price": version.terms, "unit": version.unit, "valid_from": iso(version.valid_from)}
    return answer | said | {"valid_to": iso(version.valid_to) if version.valid_to else None}


def _at(fields: Fields, now: datetime) -> datetime:
    return moment(fields.take("at"), "at") if fields.has("at") else now


def _in_force(code: str, currency: str, at: datetime) -> Price:
    product = Product.objects.filter(code=code).first()
    if product is None:
        raise NotFound(f"Nothing is sold as {code!r:.80}.")
    version = (
        Price.objects.listed()
        .filter(product=product, currency=currency, valid_from__lte=at)
        .order_by("-valid_from")
        .first()
    )
    if version is None or (version.valid_to is not None and version.valid_to <= at):
        raise NotFound(f"{product} has no price in {currency} at {iso(at)}.")
    return version
