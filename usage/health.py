"""Whether a source still speaks: silence means that metering is broken, not that nothing was used. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple, Protocol

from core.formatting import duration, moment

NEW: Final = "new"
HEALTHY: Final = "healthy"
LATE: Final = "late"
SILENT: Final = "silent"
ACTIVE: Final = "active"
PAUSED: Final = "paused"
REVOKED: Final = "revoked"
INTERNAL: Final = "internal"  # nothing is expected of it: it has neither a secret nor a feed
STATES: Final = (NEW, HEALTHY, LATE, SILENT, PAUSED, REVOKED)
HOUR: Final = timedelta(hours=1)


class Heard(Protocol):
    """The part of a source that tells when it was heard from, and how often it promised to speak."""

    state: str
    cadence_seconds: int
    lateness_seconds: int
    created_at: datetime
    last_received_at: datetime | None
    last_heartbeat_at: datetime | None


class Gap(NamedTuple):
    """A stretch of whole hours, the last one excluded, in which nothing was heard although something was expected."""

    start: datetime
    end: datetime


def last_heard(source: Heard) -> datetime | None:
    """Return when the source last sent events or a heartbeat; None when it never did."""
    return max((at for at in (source.last_received_at, source.last_heartbeat_at) if at is not None), default=None)


def health(source: Heard, now: datetime) -> str:
    """Return healthy, late or silent by the source's own cadence; new before its first word; else its state.

    It is late once its cadence has passed, and silent once its allowed lateness has passed as well.
    """
    if source.state != ACTIVE:
        return source.state
    heard = last_heard(source)
    quiet = now - (heard or source.created_at)
    if quiet <= timedelta(seconds=source.cadence_seconds):
        return HEALTHY if heard else NEW
    return LATE if quiet <= timedelta(seconds=source.cadence_seconds + source.lateness_seconds) else SILENT


def due(source: Heard) -> datetime:
    """Return when the next word of the source is due by its cadence; after that it is late."""
    return (last_heard(source) or source.created_at) + timedelta(seconds=source.cadence_seconds)


def explained(source: Heard, now: datetime) -> str:
    """Say in a sentence why the source's health is what it is, and what follows from it."""
    heard, expected, late = last_heard(source), duration(source.cadence_seconds), moment(due(source))
    last = f"last heard {moment(heard)}" if heard else f"never heard since it was made {moment(source.created_at)}"
    silent_from = due(source) + timedelta(seconds=source.lateness_seconds)
    sentences = {
        NEW: f"Never heard yet; its first word is due by {late}.",
        HEALTHY: f"It was {last}; expected every {expected}.",
        LATE: f"Late since {late}: expected every {expected}, {last}. Silent from {moment(silent_from)} on.",
        SILENT: f"Silent since {moment(silent_from)}: expected every {expected}, at most "
        f"{duration(source.lateness_seconds)} late; {last}. Its metering is broken until it proves otherwise.",
        PAUSED: "Paused: what it sends is refused until it is resumed, and usage of that time is missing.",
        REVOKED: "Revoked for good: no secret of it works, and nothing more is expected of it.",
    }
    return sentences[health(source, now)]


def gaps(hours: Iterable[tuple[datetime, bool]], source: Heard, now: datetime) -> list[Gap]:
    """Return the gaps of a source, newest first, from its whole hours in order and whether anything was heard in each.

    A stretch counts when it is as long as the cadence: a source that speaks once a day owes nothing hourly. Hours
    before the source was made and the running one owe nothing.
    """
    over = [(hour, heard) for hour, heard in hours if hour >= source.created_at and hour + HOUR <= now]
    found = []
    for heard, stretch in groupby(over, key=lambda one: one[1]):
        empty = [hour for hour, _ in stretch]
        if not heard and len(empty) * HOUR >= timedelta(seconds=source.cadence_seconds):
            found.append(Gap(empty[0], empty[-1] + HOUR))
    return found[::-1]
