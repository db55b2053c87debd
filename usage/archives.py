"""Which months of events are archived, what was moved of them, and whether their files are still what they were."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from core.errors import Conflict, NotFound
from core.periods import Month
from usage import archive_file, archiving
from usage.archive_file import Row, Tally
from usage.models import ArchiveState, MonthArchive
from usage.reported import Refusal, ReportedEvent

SEAL: Final = "usage_event_archived"  # what the database says when it refuses an event of such a month


class Archived(Conflict):
    """What was asked needs events that are in an archive."""

    code = "archived"


def within(first: datetime, last: datetime) -> list[Month]:
    """Return the months, oldest first, of which ``[first, last)`` has a part and whose events are in a file alone."""
    archived = MonthArchive.objects.filter(state=ArchiveState.ARCHIVED, month__lt=last).values_list("month", flat=True)
    months = [Month.containing(day) for day in archived]
    return [month for month in months if month.end > first]


def closed(moments: Iterable[datetime]) -> set[Month]:
    """Return the months of ``moments`` that take no events: archived, or being archived."""
    days = {Month.containing(moment).first_day for moment in moments}
    taken = MonthArchive.objects.filter(month__in=days).exclude(state=ArchiveState.RESTORED)
    return {found.period for found in taken}


def refusal(event: ReportedEvent) -> Refusal:
    """Return why a new event of an archived month is not accepted."""
    month = Month.containing(event.time)
    detail = f"{month} is archived and billed for good: it takes no new events. Ask an operator to restore it first."
    return Refusal(event.index, event.id, "archived", "time", detail, event.text())


def need(first: datetime, last: datetime, what: str) -> None:
    """Raise Archived, saying what to do, when ``what`` needs events of ``[first, last)`` that are archived."""
    if months := within(first, last):
        named = ", ".join(map(str, months))
        raise Archived(f"{what} needs events that are archived. Restore them first: manage.py restore_usage {named}.")


def keep_out(first: datetime, last: datetime) -> None:
    """Raise Archived when ``[first, last)`` has a part of a month that is archived, or being archived this moment."""
    taken = MonthArchive.objects.exclude(state=ArchiveState.RESTORED).filter(month__lt=last)
    if months := [found.period for found in taken if found.period.end > first]:
        named = ", ".join(map(str, months))
        raise Archived(f"{named} is archived and billed for good; nothing of it is corrected. Restore it first.")


def read(month: Month, *, resource: str = "") -> Iterator[Row]:
    """Yield an archived month's events from its file, of one resource when it is named; raise NotFound without one."""
    found = MonthArchive.objects.filter(month=month.first_day, state=ArchiveState.ARCHIVED).first()
    if found is None:
        raise NotFound(f"{month} is not archived; its events are in the store, and the events explorer shows them.")
    return archive_file.read(archiving.path_of(found), resource=resource)


def damaged(*, deep: bool = False) -> list[str]:
    """Return a sentence for each archived month whose file is missing or changed.

    Looks at size and row count; ``deep`` reads every event and compares the content too (minutes for a large month).
    """
    return [
        f"{found.period}: {wrong}"
        for found in MonthArchive.objects.filter(state=ArchiveState.ARCHIVED)
        if (wrong := _wrong(found, deep))
    ]


def _wrong(found: MonthArchive, deep: bool) -> str:
    path = archiving.path_of(found)
    try:
        if path.stat().st_size != found.size:
            return f"{path} has {path.stat().st_size:,} bytes instead of {found.size:,}"
        if archive_file.count(path) != found.rows:
            return f"{path} has {archive_file.count(path):,} events instead of {found.rows:,}"
        if deep:
            tally = Tally()
            for _ in tally.of(archive_file.read(path)):
                pass
            if tally.content_hash != found.content_hash:
                return f"{path} does not say what was verified"
    except OSError as error:
        return f"{path} cannot be read ({error.strerror or error})"
    except archive_file.Unreadable as error:
        return f"{path} is no archive any more ({error})"
    return ""
