"""What an operator sees of the sources: who speaks, how much, how late, and what is in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from core import history
from core.periods import Span
from core.sql import load
from usage import health, hour_totals, manifests, store, watermark
from usage.health import Gap
from usage.models import Manifest, Source, SourceState
from usage.watermark import Watermark

URGENCY: Final = (health.SILENT, health.LATE)
BACK: Final = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))  # how far batches are looked for


@dataclass(frozen=True, slots=True)
class Watched:
    """One source as of one moment. ``lag`` is how old its newest event was when it was last heard; None: no event.

    ``events_24h`` is None where nobody asked for it. ``quarantined_since`` is when the oldest waiting one was received.
    """

    source: Source
    health: str
    explanation: str
    last_heard: datetime | None
    lag: timedelta | None
    watermark: Watermark
    quarantined: int
    quarantined_since: datetime | None
    events_24h: int | None = None

    @property
    def troubled(self) -> bool:
        """Whether its metering must be taken for broken, or soon will be."""
        return self.health in URGENCY


class Hour(NamedTuple):
    """One hour of receipt of a source; ``lag_seconds``: how long after their time half of its events had arrived."""

    start: datetime
    events: int
    lag_seconds: int
    heartbeats: int
    manifests: int

    @property
    def heard(self) -> bool:
        return bool(self.events or self.heartbeats or self.manifests)


class Batch(NamedTuple):
    """What one request brought: how many new events, and between which times they happened."""

    received_at: datetime
    events: int
    first: datetime
    last: datetime


def pulses(*, now: datetime) -> list[Watched]:
    """Return every source that something is expected of, those that need a person first; reads no event."""
    everyone = list(Source.objects.expected().exclude(state=SourceState.REVOKED))
    return _watch(everyone, watermark.lately(everyone, now=now), now)


def sources(*, now: datetime) -> list[Watched]:
    """Return every source with its events of the last day, those that need a person first."""
    counts = dict(_rows("received_lately", since=now - timedelta(days=1)))
    everyone = list(Source.objects.select_related("feed").order_by("name"))
    marks = watermark.lately(everyone, now=now)
    return [replace(one, events_24h=counts.get(one.source.pk, 0)) for one in _watch(everyone, marks, now)]


def source(one: Source, *, now: datetime) -> Watched:
    """Return one source; the events of its last day are counted by ``hours``."""
    watched = _watch([one], {one.pk: watermark.of(one, now=now)}, now)[0]
    return replace(watched, events_24h=sum(hour.events for hour in hours(one, now=now)[-24:]))


def hours(one: Source, *, now: datetime, back: int = 48) -> list[Hour]:
    """Return the last ``back`` hours of a source, oldest first, the running one included."""
    rows = _rows("lag_by_hour", source=one.pk, since=now - timedelta(hours=back - 1), until=now)
    return [Hour._make(row) for row in rows]


def gaps(one: Source, hours: Sequence[Hour], *, now: datetime) -> list[Gap]:
    """Return the stretches of ``hours`` in which nothing was heard although the contract says that something would."""
    return health.gaps([(hour.start, hour.heard) for hour in hours], one, now)


def batches(one: Source, *, most: int) -> list[Batch]:
    """Return the latest batches of a source, newest first; none that is a day older than its last word."""
    if one.last_received_at is None:
        return []
    until, found = one.last_received_at + timedelta(seconds=5), []  # its last word is noted once a second
    for back in BACK:
        found = _rows("recent_batches", source=one.pk, since=one.last_received_at - back, until=until, most=most)
        if len(found) >= most:
            break
    return [Batch._make(row) for row in found]


def stated(one: Source, *, most: int) -> list[tuple[Manifest, int, bool]]:
    """Return the latest statements, newest first, each with how many events of its hour arrived and if both agree."""
    found = list(manifests.history(one.name).order_by("-id")[:most])
    if not found:
        return []
    span = Span(min(m.hour for m in found), max(m.hour for m in found) + manifests.HOUR)
    arrived: dict[datetime, list[hour_totals.Received]] = {}
    for received in hour_totals.received(span, [one.pk]):
        arrived.setdefault(received.hour, []).append(received)
    return [
        (m, sum(one.sums.events for one in of_hour), hour_totals.agrees(manifests.said(m), of_hour))
        for m in found
        for of_hour in [arrived.get(m.hour, [])]
    ]


def changes(one: Source) -> list[history.Entry]:
    """Return what people did to a source, newest first."""
    return history.of("usage_source", one.pk, added="Made")


def _watch(sources: Sequence[Source], marks: Mapping[int, Watermark], now: datetime) -> list[Watched]:
    refused = {source: (events, since) for source, events, since in _rows("quarantined_by_source")}
    expected = set(Source.objects.expected().values_list("pk", flat=True))
    watched = [_one(one, one.pk in expected, marks[one.pk], refused.get(one.pk, (0, None)), now) for one in sources]
    return sorted(watched, key=lambda one: URGENCY.index(one.health) if one.troubled else len(URGENCY))


def _one(
    source: Source, expected: bool, mark: Watermark, refused: tuple[int, datetime | None], now: datetime
) -> Watched:
    received, newest = source.last_received_at, source.last_event_at
    lag = received - newest if received and newest else None
    how, why = health.health(source, now), health.explained(source, now)
    if not expected and source.state == SourceState.ACTIVE:
        how, why = health.INTERNAL, "Nothing is expected of it: it has no secret, so nobody can report in its name."
    return Watched(source, how, why, health.last_heard(source), lag, mark, *refused)


def _rows(name: str, **named: Any) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(load("usage", name).encode(), named).fetchall()
