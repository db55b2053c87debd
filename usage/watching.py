"""What an operator sees of the sources: who speaks, how much, and how late."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from core.sql import load
from usage import health, store, watermark
from usage.models import Source
from usage.watermark import Watermark


@dataclass(frozen=True, slots=True)
class Watched:
    """One source as of one moment. ``lag`` is how old its newest event was when it was last heard; None: no event."""

    source: Source
    health: str
    last_heard: datetime | None
    events_24h: int
    lag: timedelta | None
    watermark: Watermark


class Hour(NamedTuple):
    """One hour of a source: how many events arrived, and how many seconds after their time half of them had."""

    start: datetime
    events: int
    lag_seconds: int


def sources(*, now: datetime) -> list[Watched]:
    """Return every source, those that need a person first."""
    with store.cursor() as cursor:
        since = {"since": now - timedelta(days=1)}
        counts = dict(cursor.execute(load("usage", "received_lately").encode(), since).fetchall())
    everyone = list(Source.objects.select_related("feed").order_by("name"))
    marks = watermark.of_all(everyone, now=now)
    watched = [_watch(source, counts.get(source.pk, 0), marks[source.pk], now) for source in everyone]
    urgency = [health.SILENT, health.LATE]
    return sorted(watched, key=lambda one: urgency.index(one.health) if one.health in urgency else len(urgency))


def source(one: Source, *, now: datetime) -> Watched:
    """Return one source; the events of its last day are counted by ``hours``."""
    events = sum(hour.events for hour in hours(one, now=now)[-24:])
    return _watch(one, events, watermark.of(one, now=now), now)


def hours(one: Source, *, now: datetime, back: int = 48) -> list[Hour]:
    """Return the last ``back`` hours of a source, oldest first, the running one included."""
    named = {"source": one.pk, "since": now - timedelta(hours=back - 1), "until": now}
    with store.cursor() as cursor:
        return [Hour._make(row) for row in cursor.execute(load("usage", "lag_by_hour").encode(), named)]


def _watch(source: Source, events: int, mark: Watermark, now: datetime) -> Watched:
    received, newest = source.last_received_at, source.last_event_at
    lag = received - newest if received and newest else None
    return Watched(source, health.health(source, now), health.last_heard(source), events, lag, mark)
