"""Everything about one resource as it was believed at a time: running time, owners, amendments, events, on one line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db.models import Q, QuerySet

from usage import amended, timeline
from usage.amended import Told
from usage.models import Amendment, Event, Interval, Ownership, PairingProblem
from usage.ownership_rules import END
from usage.timeline import Mark, Picture

SHOWN: Final = 200  # of each that are shown, the newest
CHANGES: Final = 12  # moments at which something else was believed, offered to be looked at


@dataclass(frozen=True, slots=True)
class Biography:
    """One resource. ``changes`` are the last moments at which what is believed of it changed, newest first."""

    intervals: Sequence[Interval]
    ownerships: Sequence[Ownership]
    amendments: Sequence[Amendment]
    events: Sequence[Told]
    problems: dict[int, PairingProblem]
    changes: Sequence[datetime]
    picture: Picture | None

    @property
    def is_empty(self) -> bool:
        return not (self.intervals or self.ownerships or self.events)


def of(resource: str, *, known_at: datetime | None, now: datetime) -> Biography:
    """Return what is believed of ``resource`` now, with what was believed before; or what was believed at a time."""
    moment = known_at or now
    intervals = list(_believed(Interval.objects.filter(resource=resource), known_at).order_by("-opened")[:SHOWN])
    owners = list(_believed(Ownership.objects.filter(resource=resource), known_at).order_by("-start")[:SHOWN])
    amendments = amended.of_resource(resource, known_at=moment)[:SHOWN]
    events = _events(resource, known_at)
    problems = {} if known_at else {p.event_id: p for p in PairingProblem.objects.filter(resource=resource)[:SHOWN]}
    tracks = [*_ran(intervals, moment), *_owned(owners, moment), *_amended(amendments, moment), *_told(events)]
    picture = timeline.picture(tracks, moment)
    return Biography(intervals, owners, amendments, events, problems, _changes(resource), picture)


Versioned = TypeVar("Versioned", Interval, Ownership)
Row = tuple[str, str, Sequence[Mark]]


def _believed(found: QuerySet[Versioned], known_at: datetime | None) -> QuerySet[Versioned]:
    """Narrow versions to those believed at a moment; without one, what was believed before is there too."""
    if known_at is None:
        return found
    still = Q(superseded_at=None) | Q(superseded_at__gt=known_at)
    return found.filter(still, recorded_at__lte=known_at)


def _events(resource: str, known_at: datetime | None) -> list[Told]:
    """Return the newest events, newest first, each with whether it counted."""
    cutoff = known_at or END
    newest = Event.objects.filter(resource=resource, received_at__lte=cutoff).order_by("-time", "-id")
    times = list(newest.values_list("time", flat=True)[:SHOWN])
    return amended.told(resource, times[-1], END, cutoff=cutoff)[::-1][:SHOWN] if times else []


def _changes(resource: str) -> list[datetime]:
    moments = {*_moments(Interval.objects.filter(resource=resource))}
    moments |= {*_moments(Ownership.objects.filter(resource=resource))}
    moments |= {one.recorded_at for one in amended.of_resource(resource, known_at=END)[:SHOWN]}
    return sorted(moments, reverse=True)[:CHANGES]


def _moments(found: QuerySet[Versioned]) -> Iterator[datetime]:
    yield from found.order_by("-recorded_at").values_list("recorded_at", flat=True)[:CHANGES]
    gone = found.exclude(superseded_at=None).order_by("-superseded_at")
    yield from (moment for moment in gone.values_list("superseded_at", flat=True)[:CHANGES] if moment)


def _holds(row: Interval | Ownership, moment: datetime) -> bool:
    return row.superseded_at is None or row.superseded_at > moment


def _ran(intervals: Iterable[Interval], moment: datetime) -> list[Row]:
    marks: dict[str, list[Mark]] = {}
    for one in intervals:
        if _holds(one, moment):
            meter = "" if one.meter == "duration" else one.meter
            label = " ".join(part for part in (one.product, one.component, meter) if part)
            level = f", level {one.level.normalize():f}" if one.level != 1 else ""
            marks.setdefault(label, []).append(Mark(one.opened, one.closed, f"{label}{level}", False, f"#i{one.pk}"))
    return [("ran on", label, found) for label, found in sorted(marks.items())]


def _owned(ownerships: Iterable[Ownership], moment: datetime) -> list[Row]:
    marks: dict[str, list[Mark]] = {}
    for one in ownerships:
        if _holds(one, moment):
            marks.setdefault(one.account, []).append(Mark(one.start, one.end, one.account, False, f"#o{one.pk}"))
    return [("owned by", label, found) for label, found in sorted(marks.items())]


def _amended(amendments: Iterable[Amendment], moment: datetime) -> list[Row]:
    marks = [
        Mark(
            one.start,
            one.end,
            f"Amendment {one.pk}{', taken back' if _gone(one, moment) else ''}: {one.reason}",
            _gone(one, moment),
            f"/usage/amendments/{one.pk}/",
        )
        for one in amendments
    ]
    return [("corrected", "amendments", marks)]


def _gone(one: Amendment, moment: datetime) -> bool:
    return one.reverted_at is not None and one.reverted_at <= moment


def _told(events: Iterable[Told]) -> list[Row]:
    marks = [
        Mark(event.time, event.time, f"{event.type} {event.product}{'' if event.counts else ', put aside'}",
             not event.counts, f"#e{event.key}")
        for event in events
    ]  # fmt: skip
    return [("told by", "events", marks)]
