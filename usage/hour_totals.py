"""What was received, hour by hour: folded forward in the background, so that no question counts events again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from core.periods import Span
from core.sql import load
from usage import agreement, locks, store
from usage.agreement import Statement, Sums
from usage.models import HourFold, Source

STALE: Final = timedelta(minutes=1)  # how far behind the totals may be before a sweep rings
NOTED: Final = timedelta(seconds=2)  # a source's receipts are noted once a second
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Received(NamedTuple):
    """One meter of one hour of one source (its row), with the sum of the hashes of the event ids."""

    source: int
    hour: datetime
    meter: str
    sums: Sums
    hash: int


def fold() -> bool:
    """Add everything received since the last call to the totals; tell whether there was anything new to look at.

    Repeatable and safe beside itself and beside intake: intake waits only for the moment that fixes the end. A
    correction under way is waited for, because its events are committed long after they are stamped.
    """
    with store.writing() as cursor:
        locks.history(cursor)
        until = locks.no_receiving(cursor)
    HourFold.objects.get_or_create(id=1, defaults={"until": BEGINNING})
    with store.writing() as cursor:
        (since,) = cursor.execute(b"select until from usage_hourfold for update").fetchall()[0]
        if since >= until:
            return False
        cursor.execute(_sql("reconcile_fold"), {"since": since, "until": until})
        cursor.execute(b"update usage_hourfold set until = %(until)b", {"until": until})
    return True


def behind(now: datetime) -> bool:
    """Say whether events were received so long ago that the totals should know them."""
    until = HourFold.objects.values_list("until", flat=True).first() or BEGINNING
    return until < now - STALE and Source.objects.filter(last_received_at__gte=until - NOTED).exists()


def received(span: Span, sources: Sequence[int]) -> list[Received]:
    """Return what some sources (rows) sent for the whole hours of ``span``, up to the latest commit."""
    named = {"first": span.start, "last": span.end, "sources": list(sources)}
    with store.cursor() as cursor:
        rows = cursor.execute(_sql("reconcile_received"), named).fetchall()
    return [Received(source, hour, meter, Sums(*sums), int(total)) for source, hour, meter, *sums, total in rows]


def agrees(statement: Statement, received: Sequence[Received]) -> bool:
    """Say whether a statement and what was received of its hour are the same events, counted and summed alike."""
    same = agreement.nonzero(statement.meters) == {one.meter: one.sums for one in received}
    return same and agreement.written(sum(one.hash for one in received)) == statement.hash


def _sql(name: str) -> bytes:
    return load("usage", name).encode()
