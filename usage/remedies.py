"""What can be done about many doubtful opens, closes and intervals at once: corrections that are made as one batch.

A correction speaks of single instants only, so that it puts nothing else aside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core.errors import Invalid
from usage import amended, causes
from usage.amending import INSTANT, MOST, Correction
from usage.doubts import Doubt
from usage.reported import CLOSE, OPEN, ReportedEvent

CLOSE_AT: Final = "close_at"
CLOSE_LAST_HEARD: Final = "close_last_heard"
CLOSE_LAST_EVENT: Final = "close_last_event"
CLOSE_DISOWNED: Final = "close_disowned"
DROP: Final = "drop"
CLOSE_BEFORE: Final = "close_before"
OPEN_AT: Final = "open_at"
INTERVALS: Final = (causes.OLD_OPEN, causes.OVER_LONG)
# What each remedy does, and the kinds that it can be done to.
REMEDIES: Final = {
    CLOSE_LAST_HEARD: ("Close it when its source was last heard", INTERVALS),
    CLOSE_LAST_EVENT: ("Close it at the newest event of its source", INTERVALS),
    CLOSE_DISOWNED: ("Close it when its last owner's time ended", INTERVALS),
    CLOSE_AT: ("Close it at the time given", INTERVALS),
    DROP: (
        "Leave the event out",
        (causes.ORPHAN_CLOSE, causes.DOUBLE_OPEN, causes.OVERLAP, causes.EMPTY, causes.MIXED),
    ),
    CLOSE_BEFORE: ("Close what was running at that moment", (causes.DOUBLE_OPEN, causes.OVERLAP)),
    OPEN_AT: ("Open it at the time given", (causes.ORPHAN_CLOSE,)),
}
NEEDS_TIME: Final = (CLOSE_AT, OPEN_AT)


@dataclass(slots=True)
class Plan:
    """The corrections that carry a remedy out, and what it cannot be done to, with why."""

    remedied: list[Doubt] = field(default_factory=list)
    skipped: list[tuple[Doubt, str]] = field(default_factory=list)
    changes: dict[tuple[str, str, datetime], "Change"] = field(default_factory=dict)

    def at(self, doubt: Doubt, moment: datetime) -> "Change":
        """Return the change of one instant of the doubt's resource and meter."""
        return self.changes.setdefault((doubt.resource, doubt.meter, moment), Change())

    def corrections(self) -> list[Correction]:
        """Say each changed instant anew: what counts there now, without what is dropped, with what is added."""
        return [_correction(resource, meter, moment, change) for (resource, meter, moment), change in self.in_order()]

    def in_order(self) -> list[tuple[tuple[str, str, datetime], "Change"]]:
        return sorted(self.changes.items(), key=lambda item: item[0])


@dataclass(slots=True)
class Change:
    """What is done at one instant: events (by row) that are dropped, and events that are added."""

    drop: set[int] = field(default_factory=set)
    add: list[ReportedEvent] = field(default_factory=list)


def plan(doubts: Iterable[Doubt], remedy: str, *, at: datetime | None, now: datetime) -> Plan:
    """Return how ``remedy`` is carried out on ``doubts``; raise Invalid for an unknown one, or one without its time."""
    if remedy not in REMEDIES:
        raise Invalid("Choose a remedy.", field="remedy")
    if remedy in NEEDS_TIME and at is None:
        raise Invalid("This remedy needs a time.", field="at")
    made = Plan()
    for doubt in doubts:
        why = _refuse(doubt, remedy) or _add(made, doubt, remedy, at, now)
        if why:
            made.skipped.append((doubt, why))
        else:
            made.remedied.append(doubt)
    if len(made.changes) > MOST:
        raise Invalid(f"That makes {len(made.changes)} corrections; choose fewer, {MOST} at once.", field="remedy")
    return made


def _refuse(doubt: Doubt, remedy: str) -> str:
    _, kinds = REMEDIES[remedy]
    return "" if doubt.kind in kinds else "This remedy is not for its kind."


def _add(made: Plan, doubt: Doubt, remedy: str, at: datetime | None, now: datetime) -> str:
    """Add one doubt's changes to the plan; return why it cannot be, or nothing."""
    if remedy == DROP:
        made.at(doubt, doubt.at).drop.add(doubt.event)
        return ""
    if remedy == CLOSE_BEFORE:
        return _close_before(made, doubt)
    moment = _moment(doubt, remedy, at)
    if moment is None:
        return "There is no such moment."
    if moment > now - INSTANT:
        return "That moment is still to come."
    return _open(made, doubt, moment) if remedy == OPEN_AT else _close(made, doubt, moment)


def _open(made: Plan, doubt: Doubt, moment: datetime) -> str:
    """Let there have been an open for a close that has none."""
    if moment >= doubt.at:
        return f"It closed at {doubt.at:%Y-%m-%d %H:%M:%S}, which is not later."
    made.at(doubt, moment).add.append(_event(OPEN, doubt, doubt.product, moment))
    return ""


def _moment(doubt: Doubt, remedy: str, at: datetime | None) -> datetime | None:
    source = doubt.source
    if remedy in NEEDS_TIME:
        return at
    if remedy == CLOSE_DISOWNED:
        return doubt.disowned_at
    if source is None:
        return None
    if remedy == CLOSE_LAST_EVENT:
        return source.last_event_at
    return max((m for m in (source.last_heartbeat_at, source.last_received_at) if m is not None), default=None)


def _close(made: Plan, doubt: Doubt, moment: datetime) -> str:
    """Close an interval earlier than it ends; the close that it had goes."""
    if moment <= doubt.at:
        return f"It opened at {doubt.at:%Y-%m-%d %H:%M:%S}, which is not earlier."
    if doubt.until and moment >= doubt.until:
        return f"It closed at {doubt.until:%Y-%m-%d %H:%M:%S} already."
    made.at(doubt, moment).add.append(_event(CLOSE, doubt, doubt.product, moment))
    if doubt.until:
        ends = amended.told(doubt.resource, doubt.until, doubt.until + INSTANT, meter=doubt.meter)
        closes = [e.key for e in ends if e.counts and e.type == CLOSE and e.product == doubt.product]
        made.at(doubt, doubt.until).drop.update(closes[:1])
    return ""


def _close_before(made: Plan, doubt: Doubt) -> str:
    """Close what was running at a repeated open, or at the open of another product; a later close of it goes."""
    running = amended.running(doubt.resource, doubt.meter, doubt.at)
    if doubt.type != OPEN or running is None:
        return "Nothing else was running at that moment."
    if running.opened == doubt.at:
        return "What was running opened at that very moment."
    made.at(doubt, doubt.at).add.append(_event(CLOSE, doubt, running.product, doubt.at))
    if running.closed and running.product != doubt.product:
        ends = amended.told(doubt.resource, running.closed, running.closed + INSTANT, meter=doubt.meter)
        closes = [e.key for e in ends if e.counts and e.type == CLOSE and e.product == running.product]
        made.at(doubt, running.closed).drop.update(closes[:1])
    return ""


def _event(kind: str, doubt: Doubt, product: str, moment: datetime) -> ReportedEvent:
    return ReportedEvent(0, "remedy", kind, moment, doubt.resource, product, doubt.meter, "", "", "", None)


def _correction(resource: str, meter: str, moment: datetime, change: Change) -> Correction:
    known = amended.told(resource, moment, moment + INSTANT, meter=meter)
    kept: Sequence[ReportedEvent] = [e.restated() for e in known if e.counts and e.key not in change.drop]
    return Correction(resource, moment, moment + INSTANT, [*kept, *change.add], meter)
