"""What each account used, in one statement: intervals ∩ ownership ∩ spans, as known at a cut-off."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from core.periods import Span
from usage import archives, effective, store


class UsageRow(NamedTuple):
    """What one account used of one product in one span.

    ``span`` is an index into the spans asked for. ``seconds_or_quantity`` is exact: seconds of running time, or
    the sum of measured quantities when ``measured``. ``resources`` counts those that were used in the span,
    ``new_resources`` those of them that no earlier span saw: over all spans each resource is new once.
    ``inputs_hash`` is equal for equal inputs, on every plan and in every order.
    """

    account: str
    app: str
    product: str
    meter: str
    component: str
    span: int
    seconds_or_quantity: Decimal
    measured: bool
    resources: int
    new_resources: int
    inputs_hash: str


def account_usage(accounts: Sequence[str], spans: Sequence[Span], *, cutoff: datetime) -> Iterator[UsageRow]:
    """Yield what ``accounts`` (up to about 10,000 codes) used in ``spans``, ordered by account, app and product.

    ``spans`` tile one stretch of time in order, for example a month that is split where a price changes; others
    raise ValueError, and a stretch of which events are archived Archived. The same ``cutoff`` gives the same rows for
    ever. Nothing used gives no row.
    """
    if any(left.end != right.start for left, right in pairwise(spans)):
        raise ValueError("spans must follow one another without a gap")
    if not accounts or not spans:
        return
    archives.need(spans[0].start, spans[-1].end, "This usage")
    with store.cursor() as cursor:
        named = parameters(accounts, spans, cutoff)
        rows = cursor.execute(effective.statement("account_usage"), named).fetchall()
    yield from map(UsageRow._make, rows)


def parameters(accounts: Sequence[str], spans: Sequence[Span], cutoff: datetime) -> dict[str, Any]:
    """Return the parameters of account_usage.sql."""
    return {
        "accounts": list(accounts),
        "starts": [span.start for span in spans],
        "ends": [span.end for span in spans],
        "first": spans[0].start,
        "last": spans[-1].end,
        "cutoff": cutoff,
    }
