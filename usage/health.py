"""Whether a source still speaks: silence means that metering is broken, not that nothing was used. Pure."""

from datetime import datetime, timedelta
from typing import Final, Protocol

NEW: Final = "new"
HEALTHY: Final = "healthy"
LATE: Final = "late"
SILENT: Final = "silent"
ACTIVE: Final = "active"


class Heard(Protocol):
    """The part of a source that tells when it was heard from, and how often it promised to speak."""

    state: str
    cadence_seconds: int
    lateness_seconds: int
    created_at: datetime
    last_received_at: datetime | None
    last_heartbeat_at: datetime | None


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
