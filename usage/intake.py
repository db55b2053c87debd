"""Accept a batch: each event once and for ever, in one short transaction, with an answer for every one of them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Self

from psycopg.errors import CheckViolation, UniqueViolation

from core.errors import VaultError
from core.failpoints import failpoint
from core.periods import Month
from core.sql import load
from usage import archives, arrays, locks, partitions, quarantine, store
from usage.models import Source
from usage.reported import Batch, Refusal, ReportedEvent
from usage.window import Window

TOUCH_EVERY: Final = timedelta(seconds=1)  # how stale "last heard from" may be, for one write a second at most
CONFLICT: Final = "conflict"
TRIES: Final = 100  # a batch may find a month missing, or archived, or events that another one stored this moment


@dataclass(slots=True)
class Answer:
    """What became of a batch; ``refused`` has one entry for each event that was not accepted and is no duplicate."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    refused: list[Refusal] = field(default_factory=list)

    def refuse(self, refusals: Sequence[Refusal]) -> Self:
        """Count ``refusals`` in, and list them in the order of the batch."""
        conflicts = sum(1 for refusal in refusals if refusal.code == CONFLICT)
        self.conflict += conflicts
        self.rejected += len(refusals) - conflicts
        self.refused = sorted([*self.refused, *refusals], key=attrgetter("index"))
        return self

    @property
    def complete(self) -> bool:
        """Whether every event is stored now."""
        return not self.refused


class NoPlace(VaultError):
    """A month of events that the store has no partition for, and cannot have one now."""

    code = "month_unavailable"
    status = 409


class Busy(VaultError):
    """Too many others stored events of one batch at the same moment."""

    code = "try_again"
    status = 503


class _Raced(Exception):
    """Another batch stored one of these events since they were looked up."""


class _Missing(Exception):
    """The store has no partition for one of these months yet."""

    def __init__(self, months: set[Month]) -> None:
        super().__init__()
        self.months = months


class _Closed(Exception):
    """An event is of a month that takes no events, because it is archived."""


class _Abandoned(Exception):
    """An all-or-nothing batch had something to refuse; nothing of it may stay."""


def accept(source: Source, batch: Batch, *, window: Window | None = None, atomic: bool = False) -> Answer:
    """Store ``batch`` and return the answer once it is committed.

    Sameness is (source, event id) for ever: the same body again is a duplicate, another body a conflict. What is
    refused goes to quarantine in the same transaction. ``window`` overrides how old and how far ahead an event
    may be (default: the source's contract). With ``atomic`` either all is stored or nothing, quarantine
    included. Repeatable: a repeated batch finds duplicates. Any number may run at once, in any order. A month that
    has no partition yet gets one, and NoPlace is raised when it cannot have one; a new event of an archived month is
    refused.
    """
    window, closed = window or Window.of(source), set[Month]()
    months: set[Month] = set()
    for _ in range(TRIES):
        try:
            return _accept(source, batch, window, atomic, closed)
        except _Raced:
            continue
        except _Missing as missing:
            months = missing.months
            partitions.ensure(months)
        except _Closed:
            closed = archives.closed(event.time for event in batch.events)
    if not months | closed:
        raise Busy("Too many send the same events at once; send them again in a moment.")
    named = ", ".join(map(str, sorted(months | closed)))
    raise NoPlace(f"One of these months takes no events any more: {named}. Ask an operator.")


def _accept(source: Source, batch: Batch, window: Window, atomic: bool, closed: Collection[Month]) -> Answer:
    answer = Answer()
    try:
        with store.writing() as cursor:
            now = locks.receiving(cursor)
            events, refused = window.admit(batch, now)
            answer = _store(cursor, source, events, now, closed)
            answer.refuse([*batch.refused, *refused])
            if atomic and not answer.complete:
                raise _Abandoned
            quarantine.keep(cursor, source, answer.refused, now)
            _touch(cursor, source, events, now)
            failpoint("intake.before_commit")
    except _Abandoned:
        return _nothing_stored(batch, answer)
    failpoint("intake.after_commit")
    return answer


def preview(source: Source, batch: Batch, *, window: Window, seen: dict[str, bytes]) -> Answer:
    """Return what ``accept`` would answer, and store nothing.

    ``seen`` carries the hashes of what earlier batches would have stored from one call to the next.
    """
    with store.cursor() as cursor:
        now = cursor.execute(b"select clock_timestamp()").fetchall()[0][0]
        events, refused = window.admit(batch, now)
        known = _known(cursor, source, sorted({event.id for event in events}))
    answer, conflicts, closed = Answer(), [], archives.closed(event.time for event in events)
    for event in events:
        digest = event.digest()
        before = known.get(event.id) or seen.get(event.id)
        if before is None and closed and Month.containing(event.time) in closed:
            refused.append(archives.refusal(event))
        elif before is None:
            seen[event.id] = digest
            answer.accepted += 1
        elif before == digest:
            answer.duplicate += 1
        else:
            conflicts.append(_conflict(event))
    return answer.refuse([*batch.refused, *refused, *conflicts])


def _store(
    cursor: store.Cursor, source: Source, events: Sequence[ReportedEvent], now: datetime, closed: Collection[Month] = ()
) -> Answer:
    """Store what is new; of months that are ``closed`` nothing is, but what was sent before is still known."""
    first: dict[str, tuple[ReportedEvent, bytes]] = {}
    again: list[tuple[ReportedEvent, bytes]] = []
    for event in events:
        said = (event, event.digest())
        if first.setdefault(event.id, said) is not said:
            again.append(said)
    late = {key for key, (event, _) in first.items() if Month.containing(event.time) in closed} if closed else set()
    known = _known(cursor, source, sorted(late)) if late else {}
    gone = late - known.keys()
    twins = [event for event, digest in again if event.id in gone and digest == first[event.id][1]]
    archived = [archives.refusal(event) for event in [*(first[key][0] for key in gone), *twins]]
    if new := [first[key] for key in sorted(first.keys() - late)]:
        known |= _insert(cursor, source, new, now)
    again += [first[key] for key in known]
    conflicts = [_conflict(e) for e, digest in again if digest != (known.get(e.id) or first[e.id][1])]
    answer = Answer(accepted=len(first) - len(known) - len(gone), duplicate=len(again) - len(conflicts) - len(twins))
    return answer.refuse([*conflicts, *archived])


def restate(
    cursor: store.Cursor, source: Source, events: Sequence[ReportedEvent], now: datetime, amendment: int
) -> None:
    """Store the events that an amendment says, in the running transaction; their identifiers are new and differ."""
    partitions.ensure({Month.containing(event.time) for event in events})
    _insert(cursor, source, sorted(((e, e.digest()) for e in events), key=lambda row: row[0].id), now, amendment)


def _insert(
    cursor: store.Cursor,
    source: Source,
    rows: Sequence[tuple[ReportedEvent, bytes]],
    now: datetime,
    amendment: int | None = None,
) -> dict[str, bytes]:
    """Store what is new; return identifier and hash of what was there already."""
    columns = {name: write([getattr(event, name) for event, _ in rows]) for name, write in COLUMNS.items()}
    parameters = columns | {
        "body_hash": arrays.digests([digest for _, digest in rows]),
        "source": source.pk,
        "received_at": now,
        "amendment": amendment,
    }
    try:
        return dict(cursor.execute(load("usage", "store_events").encode(), parameters, prepare=True))
    except UniqueViolation as refused:
        if refused.diag.constraint_name != "usage_eventkey_pkey":
            raise
        raise _Raced from refused
    except CheckViolation as refused:
        if refused.diag.constraint_name == archives.SEAL:
            raise _Closed from refused
        if refused.diag.constraint_name is not None:
            raise
        raise _Missing({Month.containing(event.time) for event, _ in rows}) from refused


def _known(cursor: store.Cursor, source: Source, identifiers: Sequence[str]) -> dict[str, bytes]:
    """Return the hashes of those events that the source sent before."""
    named = {"source": source.pk, "event_id": list(identifiers)}
    return dict(cursor.execute(load("usage", "known_events").encode(), named).fetchall())


# Each field of an event, and how a column of it is written for the database.
COLUMNS: Final[dict[str, Callable[[list[Any]], bytes]]] = {
    "id": arrays.texts,
    "type": arrays.texts,
    "time": arrays.moments,
    "resource": arrays.texts,
    "product": arrays.texts,
    "meter": arrays.texts,
    "component": arrays.texts,
    "app": arrays.texts,
    "account": arrays.texts,
    "quantity": arrays.numerals,
}


def _conflict(event: ReportedEvent) -> Refusal:
    detail = "This id was used for an event that said something else; that one stays. Send a correction under a new id."
    return Refusal(event.index, event.id, CONFLICT, "id", detail, event.text())


def _nothing_stored(batch: Batch, answer: Answer) -> Answer:
    """Answer for a batch of which nothing was stored, because something in it was refused."""
    named = {refusal.index for refusal in answer.refused}  # the others would have been stored
    detail = "Not stored, because another event of this all-or-nothing batch was refused. Mend it and send all again."
    rest = [
        Refusal(event.index, event.id, "batch_refused", "", detail, "")
        for event in batch.events
        if event.index not in named
    ]
    return Answer().refuse([*answer.refused, *rest])


def _touch(cursor: store.Cursor, source: Source, events: Sequence[ReportedEvent], now: datetime) -> None:
    newest = max((event.time for event in events), default=None)
    if not (_moved_on(source.last_received_at, now) or _moved_on(source.last_event_at, newest)):
        return
    parameters = {"source": source.pk, "received_at": now, "newest": newest}
    cursor.execute(load("usage", "touch_source").encode(), parameters, prepare=True)


def _moved_on(known: datetime | None, seen: datetime | None) -> bool:
    """Say whether ``seen`` is news worth a write: a burst of batches writes once a second of either clock."""
    return seen is not None and (known is None or seen - known >= TOUCH_EVERY)
