"""How far back a run looks for each account: past every month given up or voided, and the window of late usage."""

from collections.abc import Mapping, Sequence

from django.db import connection

from billing.late import LATE_MONTHS
from billing.models import Run, RunState
from core import sql
from core.periods import Month


def runs_to_look_at(account_ids: Sequence[int], month: Month) -> list[tuple[Run, list[int]]]:
    """Return the closed runs before ``month`` that may have billed too little or too much, oldest first.

    Each comes with the accounts to look at: all of them in the window of late usage, and further back those that
    no run has settled since.
    """
    since = {account: window(month).first_day for account in account_ids}
    since |= {account: window(oldest).first_day for account, oldest in _oldest(account_ids, month).items()}
    if not since:
        return []
    closed = Run.objects.filter(shadow=False, state=RunState.CLOSED, month__lt=month.first_day)
    looked = closed.filter(month__gte=min(since.values())).order_by("month")
    return [(run, [account for account in account_ids if since[account] <= run.month]) for run in looked]


def window(month: Month) -> Month:
    """Return the oldest month whose late usage a run of ``month`` bills, when all before it were settled."""
    for _ in range(LATE_MONTHS):
        month = month.previous
    return month


def _oldest(account_ids: Sequence[int], month: Month) -> Mapping[int, Month]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.load("billing", "oldest_unsettled"), {"accounts": list(account_ids), "before": month.first_day}
        )
        return {account: Month.containing(oldest) for account, oldest in cursor.fetchall()}
