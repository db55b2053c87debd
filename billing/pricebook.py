"""The price book of one month: what each product costs in each currency, moment by moment. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from billing.proration import cut
from billing.rating import Price
from core.periods import Month, Span


@dataclass(frozen=True, slots=True)
class ProductInfo:
    """A product as a line needs it; ``partner`` marks a third party's, which credits may exclude."""

    code: str
    name: str
    group: str
    partner: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One price of one product in one currency during ``[valid_from, valid_to)``; ``key`` is its row.

    ``price`` is None when its stored terms cannot be read: usage under it cannot be billed.
    """

    key: int
    product: str
    currency: str
    price: Price | None
    unit: str
    valid_from: datetime
    valid_to: datetime | None = None
    contract: int | None = None  # whose own price it is; None: everybody's

    def covers(self, moment: datetime) -> bool:
        """Say whether the version is valid at ``moment``."""
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Products and prices of a month. ``spans`` tile it up to ``until``, and no price changes within one of them."""

    month: Month
    until: datetime
    products: Mapping[str, ProductInfo]
    spans: tuple[Span, ...]
    # (product, currency, contract or None) → the version in each span
    prices: Mapping[tuple[str, str, int | None], tuple[Version | None, ...]]
    versions: Mapping[int, Version]

    def in_span(self, product: str, currency: str, span: int, contract: int | None = None) -> Version | None:
        """Return the version that prices ``product`` in the span of that index, None when none is valid.

        A contract's own price goes before everybody's.
        """
        for key in {contract: None, None: None}:
            versions = self.prices.get((product, currency, key))
            if versions and versions[span]:
                return versions[span]
        return None

    def price(self, key: int) -> Price:
        """Return the price of a version that has rated a line; such a one can be read."""
        price = self.versions[key].price
        assert price is not None  # noqa: S101  what cannot be read rates nothing
        return price


def price_book(
    month: Month,
    products: Iterable[ProductInfo],
    versions: Iterable[Version],
    until: datetime | None = None,
    cuts: Iterable[datetime] = (),
) -> PriceBook:
    """Build the book of a month, or of its part before ``until``.

    Spans are cut wherever a version begins or ends, and at ``cuts``; lines join what has one price again.
    """
    versions = list(versions)
    until = min(until or month.end, month.end)
    edges = {version.valid_from for version in versions} | {v.valid_to for v in versions if v.valid_to} | {*cuts}
    spans = tuple(cut(Span(month.start, until), edges))
    by_product: dict[tuple[str, str, int | None], list[Version]] = {}
    for version in versions:
        by_product.setdefault((version.product, version.currency, version.contract), []).append(version)
    prices = {
        key: tuple(next((v for v in group if v.covers(span.start)), None) for span in spans)
        for key, group in by_product.items()
    }
    by_key = {version.key: version for version in versions}
    return PriceBook(month, until, {product.code: product for product in products}, spans, prices, by_key)


def with_versions(book: PriceBook, versions: Iterable[Version]) -> PriceBook:
    """Return the book with more versions, each of which covers its whole month; the spans stay as they are."""
    added = list(versions)
    prices = {(v.product, v.currency, v.contract): (v,) * len(book.spans) for v in added}
    return replace(book, prices={**book.prices, **prices}, versions={**book.versions, **{v.key: v for v in added}})
