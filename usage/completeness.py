"""What stands between the usage of a span and a bill for it: usage of nobody, usage of strangers, contradictions."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.models import Account
from core.periods import Span
from usage import effective, store


class Unowned(NamedTuple):
    """Usage of one resource and product that no account owned. ``accounts`` owned the resource before or after."""

    resource: str
    product: str
    app: str
    seconds: Decimal
    quantity: Decimal
    accounts: tuple[str, ...]


class Contradiction(NamedTuple):
    """Something said that cannot be beside something else, so that one of the two is not billed."""

    resource: str
    product: str
    kind: str
    at: datetime
    accounts: tuple[str, ...]


def unowned(span: Span, *, cutoff: datetime) -> list[Unowned]:
    """Return usage in ``span`` that nobody owned, as known at ``cutoff``: it is billed to nobody."""
    return [Unowned._make((*row[:-1], tuple(row[-1]))) for row in _rows("unowned_usage", span, cutoff=cutoff)]


def problems(span: Span, *, cutoff: datetime) -> list[Contradiction]:
    """Return what contradicts itself in ``span``, as known at ``cutoff``: its accounts should not be billed yet."""
    rows = _rows("overlap_problems", span, cutoff=cutoff)
    return [Contradiction._make((*row[:-1], tuple(row[-1]))) for row in rows]


def owners(span: Span, *, cutoff: datetime) -> list[str]:
    """Return the codes of the accounts that own something used in ``span``, as known at ``cutoff``."""
    return [account for (account,) in _rows("owners_of_usage", span, cutoff=cutoff)]


def products(span: Span, *, cutoff: datetime) -> list[tuple[str, bool]]:
    """Return what was used in ``span``, as known at ``cutoff``: products, and whether they were measured."""
    return [(product, measured) for product, measured in _rows("products_used", span, cutoff=cutoff)]


def owners_of(products: Iterable[str], span: Span, *, cutoff: datetime) -> list[str]:
    """Return the codes of the accounts that own something that used one of ``products`` in ``span``."""
    rows = _rows("owners_of_products", span, products=list(products), cutoff=cutoff)
    return [account for (account,) in rows]


def strangers(span: Span, *, cutoff: datetime) -> list[str]:
    """Return the owners that are no account of ours: their usage would be billed to nobody."""
    return sorted(set(named := owners(span, cutoff=cutoff)) - known(named))


def known(codes: Iterable[str]) -> set[str]:
    """Return those of ``codes`` that are accounts."""
    return set(Account.objects.filter(code__in=list(codes)).values_list("code", flat=True))


def _rows(name: str, span: Span, **parameters: Any) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        named = {"first": span.start, "last": span.end} | parameters
        return cursor.execute(effective.statement(name), named).fetchall()
