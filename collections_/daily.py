"""The calendar of collecting: one row per day, begun by the tick, done by whichever worker claims it."""

from django.db import transaction

from collections_ import collecting
from collections_.models import CollectionsDay
from core import bell, clock, leases

TASK = "collections_.tasks.collect"
LEASE_SECONDS = 900


def begin_today() -> None:
    """Make today's row and ring, once per day by the database's clock; ring again for a day that was dropped."""
    today = clock.database_now().date()
    if not CollectionsDay.objects.filter(as_of=today).exists():
        CollectionsDay.objects.bulk_create([CollectionsDay(as_of=today)], ignore_conflicts=True)
    bell.ring_for_due(CollectionsDay, TASK, cluster="money")


def collect_waiting() -> int:
    """Do every day that waits, leaving the charges to other workers; safe to repeat. Returns how many were done."""
    done = 0
    while days := leases.claim(CollectionsDay, seconds=LEASE_SECONDS):
        for day in days:
            done += _collect(day)
    return done


def _collect(day: CollectionsDay) -> bool:
    try:
        summary = collecting.run(day.as_of, drive=False)
        with transaction.atomic():
            leases.finish(day)
            CollectionsDay.objects.filter(pk=day.pk).update(summary=summary.as_json(), finished_at=clock.database_now())
    except Exception as error:  # the day waits for its next try; the reason is on its row
        leases.give_back(day, repr(error))
        return False
    return True
