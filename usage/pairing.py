"""Turn waiting events into intervals and ownerships, and keep what was believed before readable."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from core.failpoints import failpoint
from core.periods import Span
from core.sql import load
from usage import locks, ownership_rows, pairing_rows, store
from usage.ownership_rules import BEGINNING, END
from usage.pairing_rows import Change
from usage.reported import MEASURED

BATCH: Final = 5_000  # waiting events in one transaction


class Waiting(NamedTuple):
    """An event that pairing has not looked at yet."""

    key: int
    resource: str
    time: datetime
    meter: str
    type: str
    account: str
    app: str


def drain(*, limit: int | None = None) -> int:
    """Pair everything that waits (or about ``limit`` events), a batch per transaction; return how many events.

    Repeatable, and safe beside itself and beside intake: one at a time writes history, and the outcome depends
    on the events alone, not on their order or on where a batch ended.
    """
    done = 0
    while limit is None or done < limit:
        with store.writing() as cursor:
            now = locks.history(cursor)
            paired = pair_batch(cursor, now)
            failpoint("pairing.before_commit")
        if not paired:
            break
        if paired == BATCH and not done:
            _analyze()
        done += paired
    return done


def pair_batch(cursor: store.Cursor, now: datetime) -> int:
    """Pair up to BATCH waiting events in the running transaction, whose caller holds the history."""
    waiting = [Waiting(*row) for row in cursor.execute(_sql("waiting_events"), {"most": BATCH})]
    if not waiting:
        return 0
    changes = {Change(one.resource, one.meter, one.time, one.time) for one in waiting if one.type != MEASURED}
    told = pairing_rows.rewrite(cursor, changes, now)
    named = {(one.resource, one.time, one.account, one.app) for one in waiting}
    named |= {(signal.resource, signal.time, account, signal.app) for signal, account in told}
    if owners := _news(cursor, named):
        ownership_rows.rewrite(cursor, owners, now)
    answered = {one.key for one in waiting} | {signal.key for signal, _ in told}
    cursor.execute(b"delete from usage_unpaired where event_id = any(%(ids)b::bigint[])", {"ids": sorted(answered)})
    return len(waiting)


def repair(cursor: store.Cursor, resources: Sequence[str], now: datetime, *, within: Span | None = None) -> None:
    """Make everything about some resources anew from what counts now; ``within``: what changed lies in that span.

    Whoever records or reverts an amendment calls it with the moment of that, holding the history. Repeatable.
    """
    start, end = (within.start, within.end) if within else (BEGINNING, END)
    strands = cursor.execute(_sql("strands_of_resources"), {"resources": list(resources), "first": start, "last": end})
    pairing_rows.rewrite(cursor, [Change(resource, meter, start, end) for resource, meter in strands.fetchall()], now)
    ownership_rows.rewrite(cursor, resources, now)


def _analyze() -> None:
    """Let the planner see the first batch of many: it takes what was empty a moment ago for empty still."""
    with store.cursor() as cursor:
        cursor.execute(b"analyze (skip_locked) usage_interval, usage_ownership, usage_pairingproblem")


def _news(cursor: store.Cursor, named: Iterable[tuple[str, datetime, str, str]]) -> list[str]:
    """Return the resources whose owners may change by what events (resource, time, account, app) named."""
    rows = [row for row in named if row[2] or row[3]]
    if not rows:
        return []
    columns = dict(zip(("resource", "time", "account", "app"), map(list, zip(*rows, strict=True)), strict=True))
    return sorted(resource for (resource,) in cursor.execute(_sql("news_of_owners"), columns))


def _sql(name: str) -> bytes:
    return load("usage", name).encode()
