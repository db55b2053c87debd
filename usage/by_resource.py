"""Which of an account's resources its usage is made of, one by one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from core.periods import Span
from usage import effective, metering, store
from usage.stretches import Kind


class ResourceUse(NamedTuple):
    """What one resource used of one kind in one span: seconds (times its level), or a measured quantity."""

    resource: str
    kind: Kind
    span: int
    amount: Decimal


def resource_usage(
    account: str, spans: Sequence[Span], *, cutoff: datetime, kind: Kind | None = None
) -> Iterator[ResourceUse]:
    """Yield what the account's resources used in ``spans`` (which tile one stretch of time), of one kind or of all.

    In any order. The sums are those of ``account_usage`` for the same cut-off.
    """
    named = metering.parameters([account], spans, cutoff) | {"account": account}
    named |= kind._asdict() if kind else dict.fromkeys(Kind._fields)
    with store.cursor() as cursor:
        rows = cursor.execute(effective.statement("usage_by_resource"), named).fetchall()
    for resource, app, product, meter, component, span, amount in rows:
        yield ResourceUse(resource, Kind(app, product, meter, component), span, amount)
