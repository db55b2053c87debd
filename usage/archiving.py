"""Move an old month of events to a file, proven before anything is taken out; and bring it back, row for row.

Each step is repeatable and ends in a state that says where the month stands, so that a process that is killed anywhere
leaves either everything in the store or everything in a file that was read back.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import psycopg
from django.conf import settings

from core.errors import Conflict, Invalid, NotFound, VaultError
from core.failpoints import failpoint
from core.periods import Month
from core.sql import load
from usage import archive_file, locks, partitions, store
from usage.archive_file import Row, Tally
from usage.models import ArchiveState, MonthArchive, Unpaired

FOLDER: Final = "usage-archive"
NEWEST: Final = 3  # months before now that are never archived, whatever is asked: sources may still report them
WAITED: Final = "2s"  # for the one lock on a month's partition, which a long reader of that month may hold
BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
Progress = Callable[[str], None]


class ArchiveDamaged(VaultError):
    """A month's file is not what was verified when it was written."""

    code = "archive_damaged"
    status = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What archiving or restoring a month came to; with ``dry_run``, would come to."""

    month: Month
    rows: int
    kept: int
    size: int
    sums: dict[str, Any]
    content_hash: str


def path_of(found: MonthArchive) -> Path:
    """Return where a month's file is."""
    return Path(settings.MEDIA_ROOT) / found.file


def archive(month: Month, *, by: str, dry_run: bool = False, progress: Progress = lambda text: None) -> Outcome:
    """Move the measured events of ``month`` to its file; return what that came to.

    The caller has made sure that the month's invoices are final. Raises Conflict when events of it wait to be paired,
    Invalid when it is too young or holds no events. Repeatable: a month that is archived stays as it is.
    """
    found = MonthArchive.objects.filter(month=month.first_day, state=ArchiveState.ARCHIVED).first()
    if found is not None:
        return _outcome(found)
    if dry_run:
        _check(month, _now())
        tally = Tally()
        for _ in tally.of(_stored(month)):
            pass
        return Outcome(month, tally.rows, 0, 0, tally.by_meter(), tally.content_hash)
    found = _seal(month, by)
    failpoint("archiving.sealed")
    _write(found, progress)
    failpoint("archiving.verified")
    _take_out(found, progress)
    failpoint("archiving.archived")
    for other in path_of(found).parent.glob(f"{month}-*"):  # of tries that were broken off
        if other != path_of(found):
            other.unlink(missing_ok=True)
    return _outcome(found)


def _check(month: Month, now: datetime) -> None:
    newest = Month.containing(now)
    for _ in range(NEWEST):
        newest = newest.previous
    if month > newest:
        raise Invalid(f"{month} is too young: sources may still report it. The newest is {newest}.", field="month")
    if month not in partitions.there():
        raise Invalid(f"There are no events of {month}.", field="month")
    waiting = Unpaired.objects.filter(time__gte=month.start, time__lt=month.end).count()
    if waiting:
        raise Conflict(f"{waiting} events of {month} wait to be paired. Archive it when the workers have done that.")


def _now() -> datetime:
    with store.cursor() as cursor:
        now: datetime = cursor.execute(b"select clock_timestamp()").fetchall()[0][0]
    return now


def _seal(month: Month, by: str) -> MonthArchive:
    """Let the month take no more events, and wait for those that are being taken in. Each try has a file of its own."""
    with store.writing() as cursor:
        now = locks.history(cursor)
        locks.no_receiving(cursor)
        _check(month, now)
        before = MonthArchive.objects.filter(month=month.first_day).first()
        if before is not None and before.state == ArchiveState.ARCHIVED:
            raise Conflict(f"{month} has just been archived by {before.started_by}.")
        found = MonthArchive(
            month=month.first_day,
            state=ArchiveState.WRITING,
            file=f"{FOLDER}/{month}-{secrets.token_hex(4)}.parquet",
            started_at=now,
            started_by=by,
        )
        found.save()
        cursor.execute(b"select usage_event_seal(%(month)b)", {"month": month.start})
    return found


def _write(found: MonthArchive, progress: Progress) -> None:
    """Write the file, read it back beside the store, and note what it holds once the two are the same."""
    month, path, told, read = found.period, path_of(found), Tally(), Tally()
    archive_file.write(path, told.of(_stored(month, lambda rows: progress(f"{month}: {rows:,} events written"))))
    failpoint("archiving.written")
    progress(f"{month}: reading {told.rows:,} events back")
    for ours, theirs in zip_longest(_stored(month), read.of(archive_file.read(path))):
        if ours != theirs:
            raise ArchiveDamaged(f"{path} does not say what the store says of {ours or theirs}; nothing was moved.")
    found.state, found.rows, found.size = ArchiveState.VERIFIED, read.rows, path.stat().st_size
    found.content_hash, found.sums = read.content_hash, read.by_meter()
    _move_on(found, ArchiveState.WRITING)


def _move_on(found: MonthArchive, before: ArchiveState) -> None:
    """Store what became of a try, unless another try of the same month took over meanwhile."""
    values = {field.attname: getattr(found, field.attname) for field in found._meta.concrete_fields[1:]}
    if not MonthArchive.objects.filter(pk=found.pk, file=found.file, state=before).update(**values):
        raise Conflict(f"Somebody else archives or restores {found.period} this moment; look again in a while.")


def _take_out(found: MonthArchive, progress: Progress) -> None:
    """Empty the month's partition but for what intervals and ownerships come from, in one transaction."""
    month = found.period
    progress(f"{month}: taking its measured events out of the store")
    with store.writing() as cursor:
        found.archived_at = locks.history(cursor)
        found.kept = _set_aside(cursor, month)
        cursor.execute(f"set local lock_timeout = '{WAITED}'".encode())
        cursor.execute(b"select usage_event_empty(%(month)b), usage_event_unseal(%(month)b)", {"month": month.start})
        cursor.execute(load("usage", "archive_put_back").encode())
        cursor.execute(b"drop table usage_kept")
        cursor.execute(b"select usage_event_seal(%(month)b)", {"month": month.start})
        found.state = ArchiveState.ARCHIVED
        _move_on(found, ArchiveState.VERIFIED)
        failpoint("archiving.before_commit")


def _set_aside(cursor: store.Cursor, month: Month) -> int:
    bounds = {"first": psycopg.sql.Literal(month.start), "last": psycopg.sql.Literal(month.end)}
    cursor.execute(psycopg.sql.SQL(load("usage", "archive_kept")).format(**bounds))  # type: ignore[arg-type]
    return cursor.rowcount


def restore(month: Month, *, by: str, progress: Progress = lambda text: None) -> Outcome:
    """Bring every event of an archived month back, and let the month take events again.

    Raises NotFound when it was not archived, ArchiveDamaged when its file is not what was verified. A month whose
    archiving was broken off simply goes on as before. Repeatable.
    """
    found = MonthArchive.objects.filter(month=month.first_day).first()
    if found is None:
        raise NotFound(f"{month} was never archived; its events are in the store.")
    with store.writing() as cursor:
        now = locks.history(cursor)
        found = MonthArchive.objects.select_for_update().get(month=month.first_day)
        if found.state == ArchiveState.ARCHIVED:
            _put_in(cursor, found, progress)
        cursor.execute(b"select usage_event_unseal(%(month)b)", {"month": month.start})
        if found.state != ArchiveState.RESTORED:
            found.state, found.restored_at, found.restored_by = ArchiveState.RESTORED, now, by
            found.save(update_fields=["state", "restored_at", "restored_by"])
        failpoint("restoring.before_commit")
    return _outcome(found)


def _put_in(cursor: store.Cursor, found: MonthArchive, progress: Progress) -> None:
    """Replace what is kept of the month by the whole of it, and prove that it is what was verified."""
    month = found.period
    tally = Tally()
    cursor.execute(f"set local lock_timeout = '{WAITED}'".encode())
    cursor.execute(b"select usage_event_empty(%(month)b), usage_event_unseal(%(month)b)", {"month": month.start})
    with cursor.copy(load("usage", "archive_restore").encode()) as copy:
        for row in tally.of(archive_file.read(path_of(found))):
            copy.write_row(_columns(row))
            if tally.rows % archive_file.GROUP == 0:
                progress(f"{month}: {tally.rows:,} events restored")
    stored = Tally()
    for _ in stored.of(_stored(month)):
        pass
    if not found.content_hash == tally.content_hash == stored.content_hash:
        raise ArchiveDamaged(f"The file of {month} is not what was verified; nothing was restored.")


def _columns(row: Row) -> list[Any]:
    moments = {"time": archive_file.moment(row.time), "received_at": archive_file.moment(row.received_at)}
    values = row._asdict() | moments
    return [value for name, value in values.items() if name != "source"]


def _stored(month: Month, progress: Callable[[int], None] = lambda rows: None) -> Iterator[Row]:
    """Yield the month's events as the store has them, in the order of the file, a bounded number at a time."""
    statement = load("usage", "archive_rows").encode()
    after: dict[str, Any] = {"after_resource": "", "after_time": BEGINNING, "after_id": 0}
    done = 0
    while True:
        named = after | {"first": month.start, "last": month.end, "most": archive_file.GROUP}
        with store.cursor() as cursor:
            rows = cursor.execute(statement, named).fetchall()
        yield from (Row._make(row[:-1]) for row in rows)
        if len(rows) < archive_file.GROUP:
            return
        done += len(rows)
        progress(done)
        last = Row._make(rows[-1][:-1])
        after = {"after_resource": last.resource, "after_time": rows[-1][-1], "after_id": last.id}


def _outcome(found: MonthArchive) -> Outcome:
    return Outcome(found.period, found.rows, found.kept, found.size, found.sums, found.content_hash)
