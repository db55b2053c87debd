"""Aging: what is owed by age and currency, in sums and one by one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from django.db.models import Count, Q, QuerySet, Sum

from billing.models import Invoice
from collections_.aging import AGING_BUCKETS, Bucket
from core.exact import ZERO


@dataclass(frozen=True, slots=True)
class Aged:
    """One bucket of one currency."""

    bucket: Bucket
    amount: Decimal
    invoices: int


@dataclass(frozen=True, slots=True)
class Currency:
    """What is owed in one currency, youngest bucket first."""

    code: str
    buckets: Sequence[Aged]

    @property
    def total(self) -> Decimal:
        return sum((aged.amount for aged in self.buckets), ZERO)

    @property
    def past_due(self) -> Decimal:
        """Everything but the first bucket, which is not yet due."""
        return sum((aged.amount for aged in self.buckets[1:]), ZERO)


def owed() -> QuerySet[Invoice]:
    """Every invoice with something outstanding."""
    return Invoice.objects.open().filter(outstanding__gt=0)


def by_currency(as_of: date) -> list[Currency]:
    """Sum what is owed by currency and age on ``as_of``; every bucket is there, also when it is empty."""
    sums: dict[str, Sum | Count] = {}
    for index, bucket in enumerate(AGING_BUCKETS):
        sums[f"amount_{index}"] = Sum("outstanding", filter=within(bucket, as_of))
        sums[f"invoices_{index}"] = Count("pk", filter=within(bucket, as_of))
    annotated = owed().order_by("currency").values("currency").annotate(**sums)
    rows = cast("Iterable[dict[str, Any]]", annotated)
    return [
        Currency(
            row["currency"],
            [
                Aged(bucket, row[f"amount_{index}"] or ZERO, row[f"invoices_{index}"])
                for index, bucket in enumerate(AGING_BUCKETS)
            ],
        )
        for row in rows
    ]


def within(bucket: Bucket, as_of: date) -> Q:
    """The invoices whose age on ``as_of`` falls into ``bucket``."""
    following = AGING_BUCKETS[AGING_BUCKETS.index(bucket) + 1 :]
    younger_than = following[0].first_day if following else None
    due = Q()
    if bucket.first_day is not None:
        due &= Q(due_on__lte=as_of - timedelta(days=bucket.first_day))
    if younger_than is not None:
        due &= Q(due_on__gt=as_of - timedelta(days=younger_than))
    return due
