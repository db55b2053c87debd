"""Reading and rewriting the believed intervals of many strands at once; the caller holds the history.

Only what changed is read again: a strand is taken up from what is believed just before its first change, and left where
it is again as it was believed. So one more sample of a gauge costs the same after years of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from core.sql import load
from usage import effective
from usage.pairing_rules import Paired, Pairing, Signal, Strand, Unpairable
from usage.reported import GAUGE, OPEN
from usage.store import Cursor

FIRST: Final = 64  # signals of a strand that are read at first from where it changed
GROWTH: Final = 4  # times as many at each further look


class Change(NamedTuple):
    """What counts of a strand (resource, meter) may have changed from ``start`` through ``end``."""

    resource: str
    meter: str
    start: datetime
    end: datetime


class Told(NamedTuple):
    """A signal that was read, and the account that it names."""

    signal: Signal
    account: str


@dataclass(slots=True)
class _Reach:
    """A strand on its way: ``changes`` are still ahead; ``since`` is how far it was read, ``begun`` from where."""

    resource: str
    meter: str
    changes: list[Change]
    since: datetime
    begun: datetime
    opened: datetime | None = None  # of what ran at ``begun``; None: not taken up there yet
    strand: Strand = field(default_factory=Strand)
    most: int = 0  # signals to read next


class _Stretch(NamedTuple):
    """A stretch of a strand, read anew; ``opened`` is that of what ran when it began, ``until`` None: no end."""

    resource: str
    meter: str
    opened: datetime
    since: datetime
    until: datetime | None


def rewrite(cursor: Cursor, changes: Iterable[Change], now: datetime) -> list[Told]:
    """Make intervals and problems anew where they may have changed; return every signal that was read for that.

    Repeatable: what is already so is left alone. The outcome is that of pairing all signals of the strands at once.
    """
    going = _reaches(changes)
    told: list[Told] = []
    stretches: list[_Stretch] = []
    found = Pairing()
    while going:
        _take_up(cursor, going)
        untils = _read_on(cursor, going, told)
        agreed = _as_believed(cursor, going, untils)
        going = [
            reach
            for reach, until, same in zip(going, untils, agreed, strict=True)
            if _goes_on(reach, until, same, stretches, found)
        ]
    _record_intervals(cursor, stretches, found.intervals, now)
    _record_problems(cursor, stretches, found.problems, now)
    return told


def _reaches(changes: Iterable[Change]) -> list[_Reach]:
    of_strands: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in sorted(set(changes)):
        of_strands[change.resource, change.meter].append(change)
    return [
        _Reach(*strand, of_one, since=of_one[0].start, begun=of_one[0].start, most=FIRST)
        for strand, of_one in of_strands.items()
    ]


def _take_up(cursor: Cursor, going: Sequence[_Reach]) -> None:
    """Give those strands that begin somewhere what was believed there."""
    new = [reach for reach in going if reach.opened is None]
    strands = _strands_before(cursor, [(reach.resource, reach.meter, reach.begun) for reach in new])
    for reach, strand in zip(new, strands, strict=True):
        reach.strand = strand
        reach.opened = strand.on[strand.running].time if strand.running is not None else reach.begun


def _strands_before(cursor: Cursor, asked: Sequence[tuple[str, str, datetime]]) -> list[Strand]:
    """Return each strand as it is believed just before its moment."""
    strands = [Strand() for _ in asked]
    if not asked:
        return strands
    for n, running, product, opened, key, component, app, level, gauged in cursor.execute(
        load("usage", "strands_before").encode(), _columns(("resource", "meter", "at"), asked)
    ):
        resource, meter, _ = asked[n - 1]
        kind = GAUGE if gauged else OPEN
        strands[n - 1].on[product] = Signal(resource, meter, product, opened, kind, (0, ""), key, component, app, level)
        if running:
            strands[n - 1].running = product
    return strands


def _read_on(cursor: Cursor, going: Sequence[_Reach], told: list[Told]) -> list[datetime | None]:
    """Carry strands on through the next signals; return up to where each was read (None: to its end)."""
    asked = [(reach.resource, reach.meter, reach.since, reach.most) for reach in going]
    named = _columns(("resource", "meter", "since", "most"), asked) | {"cutoff": effective.NOW}
    untils: list[datetime | None] = [None] * len(going)
    read: list[list[Told]] = [[] for _ in going]
    for n, until, *row in cursor.execute(effective.statement("signals_since"), named):
        untils[n - 1] = until
        if row[0] is not None:
            read[n - 1].append(_told(*row))
    for reach, signals in zip(going, read, strict=True):
        reach.strand.advance(signal for signal, _ in signals)
    told += chain.from_iterable(read)
    return untils


def _told(
    resource: str,
    meter: str,
    product: str,
    time: datetime,
    kind: str,
    source: int,
    event_id: str,
    key: int,
    component: str,
    app: str,
    quantity: Any,
    account: str,
) -> Told:
    order = (source, event_id)
    signal = Signal(resource, meter, product, time, kind, order, key, component, app)
    return Told(signal if quantity is None else signal._replace(level=quantity), account)


def _as_believed(cursor: Cursor, going: Sequence[_Reach], untils: Sequence[datetime | None]) -> list[bool]:
    """Say of each strand whether it is as it is believed where it was read to, and all that changed lies before."""
    asked = [
        (place, (reach.resource, reach.meter, until))
        for place, (reach, until) in enumerate(zip(going, untils, strict=True))
        if until is not None and _changed_before(reach, until)
    ]
    agreed = [False] * len(going)
    for (place, _), believed in zip(asked, _strands_before(cursor, [strand for _, strand in asked]), strict=True):
        agreed[place] = believed.state == going[place].strand.state
    return agreed


def _changed_before(reach: _Reach, until: datetime) -> bool:
    """Say whether every change that begins before ``until`` ends before it."""
    return all(change.end < until for change in reach.changes if change.start < until)


def _goes_on(reach: _Reach, until: datetime | None, agreed: bool, stretches: list[_Stretch], found: Pairing) -> bool:
    """Let a strand go on to its next change or signals; when it is done, or leaps, keep what was found of it."""
    if until is not None and not agreed:
        reach.since = until
        reach.most *= GROWTH
        return True
    assert reach.opened is not None  # noqa: S101  every strand was taken up before it was read
    stretches.append(_Stretch(reach.resource, reach.meter, reach.opened, reach.begun, until))
    of_one = reach.strand.found if until is not None else reach.strand.finish()
    found.intervals += of_one.intervals
    found.problems += of_one.problems
    ahead = [change for change in reach.changes if until is not None and change.start >= until]
    if not ahead:
        return False
    dense = len(reach.changes) - len(ahead) > 1  # several changes among what was read: the next are near
    reach.most = reach.most * GROWTH if dense else FIRST
    reach.changes, reach.opened = ahead, None
    reach.since = reach.begun = ahead[0].start
    return True


def _record_intervals(
    cursor: Cursor, stretches: Sequence[_Stretch], intervals: Iterable[Paired], now: datetime
) -> None:
    named = _columns(_Stretch._fields, stretches)
    rows = cursor.execute(load("usage", "believed_intervals").encode(), named)
    believed = {(opening, closing): key for key, opening, closing in rows}
    wanted = {(i.opening.key, i.closing.key if i.closing else None): i for i in intervals}
    gone = [key for events, key in believed.items() if events not in wanted]
    if gone:
        cursor.execute(load("usage", "supersede_intervals").encode(), {"ids": gone, "now": now})
    new = [_interval(*interval) for events, interval in wanted.items() if events not in believed]
    if new:
        cursor.execute(load("usage", "record_intervals").encode(), _columns(INTERVAL, new) | {"now": now})


INTERVAL: Final = (
    *("resource", "meter", "product", "component", "app", "level", "gauged", "opened", "closed"),
    *("open_event", "close_event"),
)


def _interval(opening: Signal, closing: Signal | None) -> tuple[Any, ...]:
    said = (opening.resource, opening.meter, opening.product, opening.component, opening.app, opening.level)
    ends = (opening.time, closing.time if closing else None, opening.key, closing.key if closing else None)
    return (*said, opening.type == GAUGE, *ends)


def _record_problems(
    cursor: Cursor, stretches: Sequence[_Stretch], problems: Iterable[Unpairable], now: datetime
) -> None:
    believed = set(cursor.execute(load("usage", "believed_problems").encode(), _columns(_Stretch._fields, stretches)))
    wanted = {(problem.signal.key, problem.kind): problem.signal for problem in problems}
    still = {event for event, _ in wanted}
    gone = [event for event, _ in believed if event not in still]
    if gone:
        cursor.execute(b"delete from usage_pairingproblem where event_id = any(%(ids)b::bigint[])", {"ids": gone})
    new = [
        (key, signal.resource, signal.meter, signal.product, signal.type, kind, signal.time)
        for (key, kind), signal in wanted.items()
        if (key, kind) not in believed
    ]
    if new:
        cursor.execute(load("usage", "record_problems").encode(), _columns(PROBLEM, new) | {"now": now})


PROBLEM: Final = ("event_id", "resource", "meter", "product", "type", "kind", "at")


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Turn rows into one array per column."""
    columns: Iterator[tuple[Any, ...]] = zip(*rows, strict=True) if rows else iter([()] * len(names))
    return dict(zip(names, map(list, columns), strict=True))
