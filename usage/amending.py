"""Correct what was reported: a stretch of one resource's time is said anew as one unit, and can be taken back as one.

Nothing is overwritten. What gave way stays readable, and what was believed at any time can be asked again.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple, Protocol, TypeVar

import msgspec
from django.db import transaction

from core import clock, databases
from core.errors import Conflict, Invalid, NotFound
from core.failpoints import failpoint
from core.periods import Month, Span
from usage import archives, intake, locks, pairing, partitions, store
from usage.models import Amendment, Event, Source, SourceState
from usage.ownership_rules import BEGINNING, END
from usage.reported import LIMITS, ReportedEvent

SOURCE: Final = "amendments"  # whose events say what corrections say; it has no secret, so nobody reports as it
LONGEST: Final = timedelta(days=366)
INSTANT: Final = timedelta(microseconds=1)
MOST_EVENTS: Final = 10_000
MOST: Final = 500  # corrections made as one
EVER: Final = Span(BEGINNING, END)
_WAITING: Final = b"""
select event_id from usage_unpaired where resource = any(%(resources)b::text[]) and time >= %(start)b and time < %(end)b
"""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Correction:
    """What ``resource`` did in ``[start, end)``, said anew: ``events`` and nothing else. No ``meter`` means all."""

    resource: str
    start: datetime
    end: datetime
    events: Sequence[ReportedEvent] = ()
    meter: str = ""


class Made(NamedTuple):
    """A change as the store holds it: its amendments, and the moments as of which usage reads without and with it."""

    amendments: list[int]
    resources: list[str]
    before: datetime
    after: datetime


class Change(Protocol):
    """Something that changes what counts of some resources."""

    def touched(self) -> dict[str, Span]:
        """Return each resource with the time in which what counts of it changes."""
        ...

    def prepare(self, now: datetime) -> None:
        """Refuse what cannot be, before any lock is taken."""
        ...

    def write(self, cursor: store.Cursor, now: datetime, actor: str) -> list[int]:
        """Write it as known from ``now`` on, in the running transaction; return its amendments."""
        ...


@dataclass(frozen=True, slots=True)
class Amending:
    """Record corrections, made as one: they are shown, and can be taken back, together."""

    corrections: Sequence[Correction]
    reason: str
    batch: uuid.UUID = field(default_factory=uuid.uuid4)

    def touched(self) -> dict[str, Span]:
        return _hulls(self.corrections)

    def prepare(self, now: datetime) -> None:
        _check(self.corrections, self.reason, now)

    def write(self, cursor: store.Cursor, now: datetime, actor: str) -> list[int]:
        source, _ = Source.objects.get_or_create(
            name=SOURCE, defaults={"title": "What people corrected", "state": SourceState.REVOKED}
        )
        return [self._record(cursor, source, correction, now, actor) for correction in self.corrections]

    def _record(self, cursor: store.Cursor, source: Source, correction: Correction, now: datetime, actor: str) -> int:
        amendment = Amendment.objects.create(
            resource=correction.resource,
            meter=correction.meter,
            start=correction.start,
            end=correction.end,
            reason=self.reason.strip(),
            batch=self.batch,
            recorded_at=now,
            recorded_by=actor,
        )
        width = len(str(len(correction.events)))  # their order as texts decides among equals, and is the order said
        said = [
            msgspec.structs.replace(event, index=index, id=f"amendment-{amendment.pk}-{index + 1:0{width}}")
            for index, event in enumerate(sorted(correction.events, key=attrgetter("time")))
        ]
        if said:
            intake.restate(cursor, source, said, now, amendment.pk)
        return amendment.pk


@dataclass(frozen=True, slots=True)
class Reverting:
    """Take amendments back: what they put aside counts again, what they said does not."""

    amendments: Sequence[int]
    reason: str

    def touched(self) -> dict[str, Span]:
        return _hulls(Amendment.objects.filter(pk__in=self.amendments))

    def prepare(self, now: datetime) -> None:
        if not self.reason.strip():
            raise Invalid("Say why it is taken back; the reason stays with the amendment.", field="reason")

    def write(self, cursor: store.Cursor, now: datetime, actor: str) -> list[int]:
        for one in Amendment.objects.filter(pk__in=self.amendments).exclude(reverted_at=None):
            raise Conflict(f"Amendment {one.pk} was reverted by {one.reverted_by.removeprefix('user:')} already.")
        Amendment.objects.filter(pk__in=self.amendments).update(
            reverted_at=now, reverted_by=actor, revert_reason=self.reason.strip()
        )
        return sorted(self.amendments)


def find(identifier: int) -> Amendment:
    """Return one amendment; raise NotFound."""
    found = Amendment.objects.filter(pk=identifier).first()
    if found is None:
        raise NotFound(f"There is no amendment {identifier}.")
    return found


def amend(
    resource: str,
    start: datetime,
    end: datetime,
    events: Sequence[ReportedEvent],
    *,
    reason: str,
    actor: str,
    meter: str = "",
    batch: uuid.UUID | None = None,
) -> Amendment:
    """Let ``events`` stand for all that was known of ``resource`` in ``[start, end)``; what arrives later counts too.

    Raises Invalid, naming the field. One transaction; not repeatable: a second call amends the first.
    """
    correction = Correction(resource, start, end, events, meter)
    made = carry_out(Amending([correction], reason, batch or uuid.uuid4()), actor=actor)
    return find(made.amendments[0])


def revert(amendment: int, *, reason: str, actor: str) -> Amendment:
    """Take one amendment back, also one that a later amendment covers. Raises Conflict when it was taken back."""
    find(amendment)
    carry_out(Reverting([amendment], reason), actor=actor)
    return find(amendment)


def carry_out(change: Change, *, actor: str, agree: Callable[[Made], object] = lambda made: None) -> Made:
    """Make a change in one transaction, and pair anew what it touches; ``agree`` may still refuse it by raising."""
    _prepare(change)
    with store.writing() as cursor:
        made = _make(cursor, change, actor)
        agree(made)
        failpoint("amending.before_commit")
    return made


def try_out(change: Change, *, actor: str, look: Callable[[Made], T]) -> T:
    """Make a change, ``look`` at the store as it would be, and leave no trace of it."""
    _prepare(change)
    with store.writing() as cursor:
        found = look(_make(cursor, change, actor))
        transaction.set_rollback(True, using=databases.usage())
    return found


def _prepare(change: Change) -> None:
    """Refuse what cannot be, and make room for the rest, before any lock is taken."""
    change.prepare(clock.database_now(databases.usage()))
    if isinstance(change, Amending):
        partitions.ensure({Month.containing(event.time) for one in change.corrections for event in one.events})


def _make(cursor: store.Cursor, change: Change, actor: str) -> Made:
    """Make the change under the right to write history; what waits to be paired of its resources is paired before."""
    touched = change.touched()
    before = locks.history(cursor)
    for span in touched.values():
        archives.keep_out(span.start, span.end)
    if waiting := _waiting(cursor, touched):
        pairing.repair(cursor, sorted(touched), before)
        _answer(cursor, waiting)
    now = _settled(cursor)
    amendments = change.write(cursor, now, actor)
    alike: dict[Span, list[str]] = defaultdict(list)  # many are often corrected at one and the same moment
    for resource, span in sorted(touched.items()):
        alike[span].append(resource)
    for span, resources in alike.items():
        waiting = _waiting(cursor, resources, span)
        pairing.repair(cursor, resources, now, within=span)
        _answer(cursor, waiting)
    return Made(amendments, sorted(touched), before, now)


def _settled(cursor: store.Cursor) -> datetime:
    """Return a moment such that every event stamped before it can be seen; intake waits no longer than that takes."""
    cursor.execute(b"savepoint settled")
    now = locks.no_receiving(cursor)
    cursor.execute(b"rollback to savepoint settled")  # lets the lock go, as the end of the transaction would
    cursor.execute(b"release savepoint settled")
    return now


def _waiting(cursor: store.Cursor, resources: Iterable[str], within: Span = EVER) -> list[int]:
    """Return the events of some resources that wait to be paired."""
    named = {"resources": list(resources), "start": within.start, "end": within.end}
    return [event for (event,) in cursor.execute(_WAITING, named)]


def _answer(cursor: store.Cursor, events: Sequence[int]) -> None:
    cursor.execute(b"delete from usage_unpaired where event_id = any(%(ids)b::bigint[])", {"ids": list(events)})


def _hulls(corrections: Iterable[Correction | Amendment]) -> dict[str, Span]:
    """Return for each resource the shortest span that holds all that is said of it."""
    hulls: dict[str, Span] = {}
    for one in corrections:
        known = hulls.get(one.resource, Span(one.start, one.end))
        hulls[one.resource] = Span(min(known.start, one.start), max(known.end, one.end))
    return hulls


def _check(corrections: Sequence[Correction], reason: str, now: datetime) -> None:
    if not reason.strip():
        raise Invalid("Say why; the reason stays with the amendment and with the money it moves.", field="reason")
    if not 0 < len(corrections) <= MOST:
        raise Invalid(f"Make from 1 to {MOST} corrections at once.", field="events")
    if sum(len(correction.events) for correction in corrections) > MOST_EVENTS:
        raise Invalid(f"A correction says at most {MOST_EVENTS:,} events; correct a shorter time.", field="events")
    for correction in corrections:
        _check_window(correction, now)
        _check_events(correction)
    for one, other in _neighbours(corrections):
        if other.start < one.end and (not one.meter or not other.meter or one.meter == other.meter):
            raise Invalid(f"Two corrections speak of {one.resource} at the same time; make them one.", field="start")
    _check_known(corrections)


def _neighbours(corrections: Sequence[Correction]) -> Iterator[tuple[Correction, Correction]]:
    ordered = sorted(corrections, key=attrgetter("resource", "start"))
    yield from ((one, other) for one, other in pairwise(ordered) if one.resource == other.resource)


def _check_window(correction: Correction, now: datetime) -> None:
    if not correction.resource or len(correction.resource) > LIMITS["resource"]:
        raise Invalid("Name one resource.", field="resource")
    if correction.end <= correction.start:
        raise Invalid("The time that is corrected ends after it begins.", field="end")
    if correction.end - correction.start > LONGEST:
        raise Invalid(f"Correct at most {LONGEST.days} days at once.", field="end")
    if correction.end > now:
        raise Invalid("What is to come cannot be corrected; end it now or earlier.", field="end")


def _check_events(correction: Correction) -> None:
    for index, event in enumerate(correction.events):
        where = f"events[{index}]"
        if event.resource != correction.resource:
            raise Invalid(f"{where} speaks of another resource; correct that one by itself.", field=f"{where}.resource")
        if not correction.start <= event.time < correction.end:
            raise Invalid(f"{where} lies outside the time that is corrected.", field=f"{where}.time")
        if correction.meter and event.meter != correction.meter:
            raise Invalid(f"{where} is not of the meter {correction.meter}.", field=f"{where}.meter")


def _check_known(corrections: Sequence[Correction]) -> None:
    """Refuse a resource that nobody reported: most likely its name was mistyped."""
    named = {correction.resource for correction in corrections}
    known = set(Event.objects.filter(resource__in=named).values_list("resource", flat=True).distinct())
    for resource in sorted(named - known):
        raise Invalid(f"Nothing was ever reported of {resource}; only what was can be corrected.", field="resource")
