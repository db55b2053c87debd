"""Which months of usage may leave the store: old enough, and with every invoice of theirs final."""

from datetime import datetime
from typing import Final

from django.conf import settings

from accounts.models import Account
from billing import unsettled
from billing.models import Run, RunState
from core.errors import Refused
from core.periods import Month
from usage import archiving, partitions
from usage.archiving import Outcome, Progress
from usage.models import ArchiveState, MonthArchive

FEWEST_MONTHS: Final = 3


def archive(month: Month, *, by: str, now: datetime, dry_run: bool, progress: Progress = lambda text: None) -> Outcome:
    """Archive one month, or say what that would come to; raise Refused when it may not leave yet. Repeatable."""
    if reason := objection(month, now=now):
        raise Refused(reason)
    return archiving.archive(month, by=by, dry_run=dry_run, progress=progress)


def due(now: datetime) -> list[Month]:
    """Return the months that may leave and have not, oldest first."""
    archived = set(MonthArchive.objects.filter(state=ArchiveState.ARCHIVED).values_list("month", flat=True))
    old = [month for month in partitions.there() if month <= newest(now) and month.first_day not in archived]
    return [month for month in old if not objection(month, now=now)]


def newest(now: datetime) -> Month:
    """Return the newest month that is old enough: the running one and those of VAULT_USAGE_MONTHS stay."""
    month = Month.containing(now)
    for _ in range(max(settings.USAGE_MONTHS, FEWEST_MONTHS)):
        month = month.previous
    return month


def objection(month: Month, *, now: datetime) -> str:
    """Return why a month may not leave, as a sentence; empty when it may."""
    if month > newest(now):
        return f"{month} is too young: events stay in the store until {newest(now)} (VAULT_USAGE_MONTHS)."
    if not Run.objects.filter(month=month.first_day, shadow=False, state=RunState.CLOSED).exists():
        return f"{month} was never closed: its usage is not billed. Close it first, or keep its events."
    everybody = list(Account.objects.values_list("pk", flat=True))
    for run, accounts in unsettled.runs_to_look_at(everybody, Month.containing(now)):
        if run.month <= month.first_day and accounts:
            return f"{len(accounts)} accounts of {month} are not settled: the next run may still bill its usage."
    return ""
