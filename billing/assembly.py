"""From metered usage to priced lines: one line per app, product, process type and price version. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final, Protocol

from billing.draft import CONTRACT_METER, USAGE, DraftLine, stored
from billing.pricebook import PriceBook, ProductInfo, Version
from billing.rating import Price
from billing.rating.flat import Flat
from billing.rating.hourly_capped import HourlyCapped
from billing.rating.lines import is_by_time, rate_line
from billing.rating.shape import Step
from core.errors import Invalid
from core.exact import plain
from core.money import total as exact_total

RUNNING: Final = "duration"  # the meter of opens and closes that name none
LONGEST_DESCRIPTION: Final = 300
GROUPS: Final = {group: place for place, group in enumerate(("dyno", "data", "addon", "support", "other"))}


class MeteredUsage(Protocol):
    """What the usage store says one account used of one product in one span (see ``usage.metering``)."""

    @property
    def app(self) -> str: ...
    @property
    def product(self) -> str: ...
    @property
    def meter(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def span(self) -> int: ...
    @property
    def seconds_or_quantity(self) -> Decimal: ...
    @property
    def measured(self) -> bool: ...
    @property
    def resources(self) -> int: ...
    @property
    def new_resources(self) -> int: ...
    @property
    def inputs_hash(self) -> str: ...


class Parked(Exception):
    """The account cannot be billed without a guess. ``code`` is the roster's reason code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def usage_lines(
    rows: Iterable[MeteredUsage], book: PriceBook, currency: str, contract: int | None = None
) -> list[DraftLine]:
    """Price one account's usage of the book's month and return its lines in their printed order.

    The account's ``contract`` (row) may have prices of its own; ``billing.month_lines`` adds what else it says.
    Usage that has no product, no price, or a price of another kind raises Parked: nothing is billed by guess.
    """
    lines = []
    for _, group in groupby(sorted(rows, key=_order), key=_group):
        parts = list(group)
        for version, segment in groupby(parts, key=lambda row: _version(row, book, currency, contract)):
            lines.append(_line(list(segment), version, book, currency))
    return sorted(lines, key=lambda line: (line.app, GROUPS.get(line.group, len(GROUPS)), line.product))


def _group(row: MeteredUsage) -> tuple[str, str, str, str, bool]:
    return (row.app, row.product, row.component, row.meter, row.measured)


def _order(row: MeteredUsage) -> tuple[tuple[str, str, str, str, bool], int]:
    return (_group(row), row.span)


def _version(row: MeteredUsage, book: PriceBook, currency: str, contract: int | None) -> Version:
    product = book.products.get(row.product)
    if row.meter.startswith(CONTRACT_METER):
        raise Parked(
            "unpriced", f"Only contracts' lines are named like the meter {row.meter!r}: rename it, then retry."
        )
    if product is None:
        raise Parked("unpriced", f"Nothing is sold as {row.product!r}: add the product and its price, then retry.")
    version = book.in_span(row.product, currency, row.span, contract)
    if version is None or version.price is None:
        day = f"{book.spans[row.span].start:%Y-%m-%d}"
        what = "no" if version is None else "no readable"
        raise Parked("unpriced", f"{product.name} has {what} price in {currency} on {day}: add one, then retry.")
    return version


def _line(rows: Sequence[MeteredUsage], version: Version, book: PriceBook, currency: str) -> DraftLine:
    """Rate what was used under one price version; ``rows`` are its spans in order of time."""
    first, product = rows[0], book.products[rows[0].product]
    assert version.price is not None  # noqa: S101  _version has parked the account otherwise
    used = exact_total(row.seconds_or_quantity for row in rows)
    resources = max(sum(row.new_resources for row in rows), *(row.resources for row in rows))
    try:
        charged = _charged(version.price, used, rows, product)
        rated = rate_line(version.price, charged, book.month, currency)
    except Invalid as error:
        raise Parked("unpriced", f"{product.name} cannot be rated: {error}") from error
    return DraftLine(
        kind=USAGE,
        description=_description(first, product),
        amount=rated.amount,
        rated=rated.amount,
        unrounded=stored(rated.unrounded),
        start=max(version.valid_from, book.month.start),
        end=min(version.valid_to or book.until, book.until),
        app=first.app,
        product=first.product,
        group=product.group,
        partner=product.partner,
        component=first.component,
        meter="" if first.meter == RUNNING else first.meter,
        quantity=stored(rated.quantity),
        unit=version.unit,
        unit_amount=None if rated.unit_amount is None else stored(rated.unit_amount),
        price=version.key,
        usage=used,
        resources=resources,
        steps=tuple(map(_as_json, rated.steps)),
        inputs_hash=_combined(rows),
    )


def _charged(price: Price, used: Decimal, rows: Sequence[MeteredUsage], product: ProductInfo) -> Decimal:
    """Return the quantity that the price counts: seconds, units, or subscriptions for a flat fee."""
    if isinstance(price, Flat):
        return Decimal(sum(row.new_resources for row in rows))
    if is_by_time(price) == rows[0].measured:
        kind = (
            "by time, but a counted quantity was reported" if rows[0].measured else "by count, but it was running time"
        )
        raise Parked("unpriced", f"{product.name} is priced {kind}; mend the price or the source, then retry.")
    if isinstance(price, HourlyCapped) and price.cap_amount is not None and max(row.resources for row in rows) > 1:
        raise Parked("unpriced", f"{product.name}: an hourly cap for several resources on one line is not supported.")
    return used


def _description(row: MeteredUsage, product: ProductInfo) -> str:
    """Say it as people do: ``web · Standard-1X``."""
    return " · ".join(part for part in (row.component, product.name) if part)[:LONGEST_DESCRIPTION]


def _combined(rows: Sequence[MeteredUsage]) -> str:
    """Return the hash over what all spans were made of; one span keeps its own."""
    hashes = [row.inputs_hash for row in rows]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _as_json(step: Step) -> dict[str, str]:
    return {
        "label": step.label,
        "quantity": plain(step.quantity),
        "unit_amount": plain(step.unit_amount),
        "amount": plain(step.amount),
    }
