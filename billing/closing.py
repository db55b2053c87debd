"""Close a month from a command: open its run and carry its shards in this process, beside the workers."""

import time
from collections.abc import Callable
from datetime import date

from billing import approving, drafting, issuing, running, supplementing
from billing.models import Run, RunState
from core.periods import Month

Show = Callable[[running.Progress], None]
PAUSE_SECONDS = 0.3  # between looks at shards that other workers carry


def build(month: Month, *, shadow: bool, actor: str, show: Show, despite: str = "") -> Run:
    """Open the month's run, or go on with it, until its drafts are built; accounts that came later join it.

    ``despite`` is why it does not wait for sources that have not confirmed the month.

    Repeatable: a month that is closed stays closed unless an account is missing from it.
    """
    run = running.open_run(month, shadow=shadow, actor=actor, despite=despite)
    if run.state == RunState.CLOSED:
        supplementing.add_missing(run.pk, actor=actor)
    return _drive(run, RunState.DRAFTING, drafting.draft_waiting, show)


def issue(run: Run, *, approver: str, issue_date: date, show: Show) -> Run:
    """Approve a built run as ``approver`` and issue it; what is already approved or issued is gone on with."""
    if run.state == RunState.REVIEW:
        run = approving.approve(run.pk, actor=approver)
    if run.state == RunState.APPROVED:
        run = issuing.start(run.pk, actor=approver, issue_date=issue_date)
    return _drive(run, RunState.ISSUING, issuing.issue_waiting, show)


def _drive(run: Run, state: RunState, work: Callable[[], int], show: Show) -> Run:
    """Work until the run leaves ``state`` or nothing of it is left to do; other workers may do part of it."""
    run.refresh_from_db()
    while run.state == state:
        done = work()
        run.refresh_from_db()
        progress = running.progress(run)
        show(progress)
        if progress.shards_done + progress.shards_dead >= progress.shards:
            break
        if not done:
            time.sleep(PAUSE_SECONDS)
    return run
