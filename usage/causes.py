"""Why an open, a close or a long interval probably looks as it does, in words. Pure: what is known is a parameter."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from usage.health import LATE, SILENT

OLD_OPEN: Final = "old_open"
OVER_LONG: Final = "over_long"
ORPHAN_CLOSE: Final = "orphan_close"
DOUBLE_OPEN: Final = "double_open"
OVERLAP: Final = "overlap"
EMPTY: Final = "empty"
MIXED: Final = "mixed"

QUARANTINED: Final = "quarantined"
NOT_HEARD: Final = "source_silent"
STOPPED: Final = "source_stopped"
DISOWNED: Final = "disowned"
EXPECTED: Final = "may_be_late"
REPEATED: Final = "repeated"
LOST_CLOSE: Final = "close_lost"
LOST_OPEN: Final = "open_lost"
NOTHING: Final = "nothing_used"
CONFUSED: Final = "two_ways"
RUNS: Final = "runs"
TITLES: Final = {
    QUARANTINED: "An event of it was refused",
    NOT_HEARD: "Its source is silent",
    STOPPED: "Its source was stopped",
    DISOWNED: "Nobody owns it any more",
    EXPECTED: "What explains it may be late",
    REPEATED: "The source repeated itself",
    LOST_CLOSE: "A close was lost",
    LOST_OPEN: "An open was lost",
    NOTHING: "Nothing was used",
    CONFUSED: "Switched and given a level",
    RUNS: "Probably right",
}
CLOSELY: Final = timedelta(minutes=5)  # an open that follows another so closely is the same one, said twice


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of something doubtful; ``since`` is the open it repeats, ``disowned_at`` its last owner's end."""

    kind: str
    at: datetime
    seen_at: datetime
    health: str = ""
    last_heard: datetime | None = None
    lateness: timedelta = timedelta(0)
    since: datetime | None = None
    disowned_at: datetime | None = None
    refused: bool = False  # an event that names its resource waits in quarantine


@dataclass(frozen=True, slots=True)
class Cause:
    """``code`` groups; ``sentence`` says it of this one thing."""

    code: str
    sentence: str

    @property
    def title(self) -> str:
        return TITLES[self.code]


def cause(signs: Signs, now: datetime) -> Cause:
    """Return the most probable cause: what somebody can look up goes before what one can only guess."""
    return _in_its_way(signs) or _waiting(signs, now) or _guess(signs)


def _in_its_way(signs: Signs) -> Cause | None:
    """Something that keeps the event which explains it from being here."""
    if signs.kind in (EMPTY, MIXED, OVER_LONG):
        return None
    if signs.refused:
        return Cause(QUARANTINED, "A refused event that names it waits in quarantine. Decide that first.")
    if signs.health in (SILENT, LATE):
        heard = f"since {signs.last_heard:%Y-%m-%d %H:%M} UTC" if signs.last_heard else "and never spoke"
        return Cause(NOT_HEARD, f"Its source is {signs.health} {heard}; what is missing may still be there.")
    if signs.health in ("paused", "revoked"):
        return Cause(STOPPED, f"Its source is {signs.health}; what is missing will not come by itself.")
    if signs.kind == OLD_OPEN and signs.disowned_at:
        return Cause(DISOWNED, f"Nobody has owned it since {signs.disowned_at:%Y-%m-%d %H:%M} UTC; its close was lost.")
    return None


def _waiting(signs: Signs, now: datetime) -> Cause | None:
    if signs.kind in (OLD_OPEN, OVER_LONG, EMPTY, MIXED) or now - signs.at > signs.lateness:
        return None
    hours = signs.lateness.total_seconds() / 3600
    return Cause(EXPECTED, f"Its source may be {hours:.0f} h late, which has not passed; wait for what explains it.")


def _guess(signs: Signs) -> Cause:
    if signs.kind == DOUBLE_OPEN:
        if signs.since and signs.at - signs.since <= CLOSELY:
            return Cause(REPEATED, f"It was opened at {signs.since:%H:%M:%S} already: said twice under two ids.")
        return Cause(LOST_CLOSE, "It was open already: the close before it was lost. The time between is billed.")
    return {
        ORPHAN_CLOSE: Cause(LOST_OPEN, "Its open was lost. Nothing is billed for the time before it."),
        OVERLAP: Cause(LOST_CLOSE, "Another product was running: that one's close was lost. Its account is held."),
        EMPTY: Cause(NOTHING, "Opened and closed at one instant, which is nothing to bill."),
        MIXED: Cause(CONFUSED, "Opens and closes, and levels, were sent of one meter; only one of both can be meant."),
        OLD_OPEN: Cause(RUNS, "Its source speaks and nothing contradicts it: it most likely runs."),
        OVER_LONG: Cause(LOST_CLOSE, "It ran for very long: an earlier close, and the open after it, may be lost."),
    }[signs.kind]
