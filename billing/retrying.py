"""Try again what failed: accounts that could not be built, and shards that were given up."""

from billing import holding, locks
from billing.models import Outcome, Run, RunAccount, RunShard, RunState, ShardPhase
from billing.running import ISSUE_TASK
from core import audit, bell
from core.models import WorkState
from usage import cutoff as usage_cutoff


def retry_failed(run_id: int, *, actor: str, reason: str = "") -> int:
    """Draft the run's failed accounts anew from what is known now, and revive its dead issue shards.

    Returns how many accounts and shards were taken up; a repeat finds none. The new drafts ask for approval again.
    Raises Conflict when the run has ended or is issuing right now.
    """
    cutoff = usage_cutoff.freeze()
    with audit.acting(actor, reason or "retry"):
        run = locks.run(run_id)
        holding.refuse_ended(run)
        dead = RunShard.objects.filter(run=run, phase=ShardPhase.ISSUE, state=WorkState.DEAD)
        revived = dead if run.state == RunState.ISSUING else dead.none()  # else they are ordered anew with the rest
        shards = revived.update(state=WorkState.READY, attempts=0, last_error="")
        if shards:  # these were approved already: they only have to be issued
            bell.ring(ISSUE_TASK, cluster="money")
            return shards
        failed = list(RunAccount.objects.filter(run=run, outcome=Outcome.FAILED).order_by("account_id"))
        if failed:
            holding.draft_anew(run, failed, cutoff)
    return len(failed)


def retry_account(run_id: int, account_id: int, *, actor: str, reason: str = "") -> None:
    """Draft one failed or held account anew from what is known now."""
    cutoff = usage_cutoff.freeze()
    with audit.acting(actor, reason or "retry"):
        run: Run = locks.run(run_id)
        holding.refuse_ended(run)
        waiting = [Outcome.FAILED, Outcome.HELD]
        entries = list(RunAccount.objects.filter(run=run, account_id=account_id, outcome__in=waiting))
        if entries:
            holding.draft_anew(run, entries, cutoff)
