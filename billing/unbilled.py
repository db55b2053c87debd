"""How much of a month cannot be billed yet: counted by a worker now and then, so that every page can say it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from billing import unpriced, waivers
from billing.models import UnbilledCount
from core import bell, clock, databases
from core.periods import Month, Span
from usage import completeness

TASK: Final = "billing.tasks.count_unbilled"
EVERY: Final = timedelta(minutes=10)


def months(now: datetime) -> tuple[Month, Month]:
    """Return the months that are counted: the running one, and the one before, which is being closed."""
    return Month.containing(now).previous, Month.containing(now)


def count() -> None:
    """Count both months anew. Safe to run twice and beside itself; looks through the usage of two months."""
    now = clock.database_now(databases.usage())
    for month in months(now):
        span = Span(month.start, min(month.end, now)) if now > month.start else None
        if span is None:
            continue
        unowned = completeness.unowned(span, cutoff=now)
        waived = waivers.unowned(month, clock.database_now())
        numbers = {
            "unowned": len(waivers.still_unowned(unowned, waived)),
            "unpriced": len(unpriced.unpriced(month, cutoff=now)),
            "strangers": len(completeness.strangers(span, cutoff=now)),
            "counted_at": clock.database_now(),
        }
        UnbilledCount.objects.update_or_create(month=month.first_day, defaults=numbers)


def sweep() -> None:
    """Ring for a count when the last is old and nothing waits. Repeatable."""
    now = clock.database_now()
    if (
        not bell.waiting("money")
        and not UnbilledCount.objects.filter(month=months(now)[1].first_day, counted_at__gt=now - EVERY).exists()
    ):
        bell.ring(TASK, cluster="money")


def latest(now: datetime) -> Sequence[UnbilledCount]:
    """Return what was counted last of the months that are counted, the earlier first; none before the first count."""
    wanted = [month.first_day for month in months(now)]
    return list(UnbilledCount.objects.filter(month__in=wanted).order_by("month"))
