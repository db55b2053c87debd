"""Turn waiting opens and closes into intervals and ownerships, and keep what was believed before readable."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from core.failpoints import failpoint
from core.sql import load
from usage import effective, locks, ownership_rows, store
from usage.pairing_rules import Paired, Pairing, Signal, Unpairable, pair

BATCH: Final = 5_000  # waiting events in one transaction


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
        done += paired
    return done


def pair_batch(cursor: store.Cursor, now: datetime) -> int:
    """Pair up to BATCH waiting events in the running transaction, whose caller holds the history."""
    waiting = cursor.execute(_sql("waiting_events"), {"most": BATCH}).fetchall()
    if not waiting:
        return 0
    seen = repair(cursor, sorted({resource for _, resource in waiting}), now)
    answered = {event for event, _ in waiting} | seen
    cursor.execute(b"delete from usage_unpaired where event_id = any(%(ids)b::bigint[])", {"ids": sorted(answered)})
    return len(waiting)


def repair(cursor: store.Cursor, resources: Sequence[str], now: datetime) -> set[int]:
    """Make everything about some resources anew from what counts now; return the opens and closes that were seen.

    Whoever records or reverts an amendment calls it with the moment of that, holding the history.
    """
    named = {"resources": list(resources)}
    signals = [
        Signal(resource, meter, product, time, kind, (source, event_id), key, component, app)
        for resource, meter, product, time, kind, source, event_id, key, component, app in cursor.execute(
            effective.statement("switches"), named | {"cutoff": effective.NOW}
        )
    ]
    pairing = pair(signals)
    _record_intervals(cursor, named, pairing, now)
    _record_problems(cursor, named, pairing, now)
    ownership_rows.rewrite(cursor, resources, now)
    return {signal.key for signal in signals}


def _record_intervals(cursor: store.Cursor, named: dict[str, Any], pairing: Pairing, now: datetime) -> None:
    believed = {(opening, closing): key for key, opening, closing in cursor.execute(_sql("believed_intervals"), named)}
    wanted = {(i.opening.key, i.closing.key if i.closing else None): i for i in pairing.intervals}
    gone = [key for events, key in believed.items() if events not in wanted]
    if gone:
        cursor.execute(_sql("supersede_intervals"), {"ids": gone, "now": now})
    new = [interval for events, interval in wanted.items() if events not in believed]
    if new:
        cursor.execute(_sql("record_intervals"), _columns(new) | {"now": now})


def _columns(intervals: Sequence[Paired]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = defaultdict(list)
    for interval in intervals:
        opening, closing = interval
        for name in ("resource", "meter", "product", "component", "app"):
            columns[name].append(getattr(opening, name))
        columns["opened"].append(interval.opened)
        columns["closed"].append(interval.closed)
        columns["open_event"].append(opening.key)
        columns["close_event"].append(closing.key if closing else None)
    return columns


def _record_problems(cursor: store.Cursor, named: dict[str, Any], pairing: Pairing, now: datetime) -> None:
    believed = set(cursor.execute(_sql("believed_problems"), named))
    wanted = {(problem.signal.key, problem.kind): problem for problem in pairing.problems}
    still = {event for event, _ in wanted}
    gone = [event for event, _ in believed if event not in still]
    if gone:
        cursor.execute(b"delete from usage_pairingproblem where event_id = any(%(ids)b::bigint[])", {"ids": gone})
    _insert_problems(cursor, [problem for found, problem in wanted.items() if found not in believed], now)


def _insert_problems(cursor: store.Cursor, problems: Iterable[Unpairable], now: datetime) -> None:
    rows = [(switch.key, switch.resource, switch.product, kind, switch.time) for switch, kind in problems]
    if rows:
        names = ("event_id", "resource", "product", "kind", "at")
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        cursor.execute(_sql("record_problems"), columns | {"now": now})


def _sql(name: str) -> bytes:
    return load("usage", name).encode()
