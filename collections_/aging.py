"""Aging: how long debts have been past due, in buckets declared once for SQL, tables and tests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from core.exact import ZERO


@dataclass(frozen=True, slots=True)
class Bucket:
    """Debts from ``first_day`` days past due up to the next bucket's; None begins at not yet due."""

    name: str
    first_day: int | None


AGING_BUCKETS: Final = (
    Bucket("current", first_day=None),
    Bucket("1-30", first_day=1),
    Bucket("31-60", first_day=31),
    Bucket("61-90", first_day=61),
    Bucket("90+", first_day=91),
)


def days_past_due(due_on: date, as_of: date) -> int:
    """Return the days since the due day, which itself is still in time; never below zero."""
    return max(0, (as_of - due_on).days)


def bucket_of(due_on: date, as_of: date) -> Bucket:
    """Return the bucket that a debt falls into on ``as_of``."""
    days = days_past_due(due_on, as_of)
    return next(bucket for bucket in reversed(AGING_BUCKETS) if bucket.first_day is None or bucket.first_day <= days)


def aged(debts: Iterable[tuple[date, Decimal]], as_of: date) -> Mapping[str, Decimal]:
    """Sum (due day, outstanding) pairs of one currency by bucket; every bucket is there, in order."""
    sums = {bucket.name: ZERO for bucket in AGING_BUCKETS}
    for due_on, outstanding in debts:
        sums[bucket_of(due_on, as_of).name] += outstanding
    return sums
