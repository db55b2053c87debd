"""Hold an account back from its month's invoice, and let it go again; both reopen an approval."""

from datetime import datetime

from billing import approving, locks
from billing.models import Outcome, Run, RunAccount, RunShard, RunState, ShardPhase
from core import audit, bell
from core.errors import Conflict, Invalid, NotFound
from core.models import WorkState
from usage import cutoff as usage_cutoff

BEFORE_ISSUE = (RunState.DRAFTING, RunState.REVIEW, RunState.APPROVED)


def hold(run_id: int, account_id: int, *, reason: str, actor: str) -> RunAccount:
    """Keep an account's draft from being issued until it is released; a repeat renews the reason.

    Raises Conflict once the run is issuing, or when the account was issued.
    """
    if not reason.strip():
        raise Invalid("Say why the account is held; whoever releases it will ask.", field="reason")
    with audit.acting(actor, reason):
        run = locks.run(run_id)
        entry = _entry(run, account_id)
        if run.state not in BEFORE_ISSUE or entry.outcome == Outcome.ISSUED:
            raise Conflict(f"{run} is {run.get_state_display().lower()}; an account can be held before it is issued.")
        entry.outcome, entry.reason_code, entry.reason = Outcome.HELD, "manual", reason.strip()
        entry.save(update_fields=["outcome", "reason_code", "reason"])
        approving.withdraw(run)
    return entry


def release(run_id: int, account_id: int, *, reason: str, actor: str) -> RunAccount:
    """Let a held account go on: with its draft if it has one, else by drafting it anew from what is known now.

    Raises Conflict when it is not held, when its draft cannot be issued, or when the run has ended.
    """
    cutoff = usage_cutoff.freeze()
    with audit.acting(actor, reason or "release"):
        run = locks.run(run_id)
        entry = _entry(run, account_id)
        if entry.outcome != Outcome.HELD:
            raise Conflict(f"{entry.account} is not held in {run}; it is {entry.outcome}.")
        refuse_ended(run)
        if entry.invoice_id is None:
            draft_anew(run, [entry], cutoff)
        else:
            _release_draft(run, entry)
    return entry


def refuse_ended(run: Run) -> None:
    """Raise Conflict unless accounts may still join the run: not once it ended, and not while it is numbering."""
    busy = RunShard.objects.filter(run=run, phase=ShardPhase.ISSUE, state__in=[WorkState.READY, WorkState.LEASED])
    if run.state == RunState.ISSUING and busy.exists():
        raise Conflict(f"{run} is being issued right now; try again when its shards are done.")
    if run.state not in (*BEFORE_ISSUE, RunState.ISSUING):
        raise Conflict(f"{run} is {run.get_state_display().lower()}; usage that was left out goes on the next invoice.")


def _release_draft(run: Run, entry: RunAccount) -> None:
    if entry.invoice is not None and entry.invoice.total < 0:
        raise Conflict("An invoice cannot come to less than nothing; waive its adjustments first.")
    entry.outcome, entry.reason_code, entry.reason = Outcome.DRAFTED, "", ""
    if RunShard.objects.filter(run=run, phase=ShardPhase.ISSUE, number=entry.shard).exists():
        entry.shard = next_shard(run)  # its own was issued already
        RunShard.objects.create(
            run=run, phase=ShardPhase.DRAFT, number=entry.shard, accounts=1, cutoff=run.cutoff, state=WorkState.DONE
        )
    entry.save(update_fields=["outcome", "reason_code", "reason", "shard"])
    if run.state != RunState.DRAFTING:
        reopen(run, RunState.REVIEW)


def draft_anew(run: Run, entries: list[RunAccount], cutoff: datetime) -> None:
    """Put roster lines into a new shard, drafted from what was known at ``cutoff``; the caller holds the run's lock."""
    number = next_shard(run)
    RunAccount.objects.filter(pk__in=[entry.pk for entry in entries]).update(
        outcome=Outcome.PENDING, reason_code="", reason="", shard=number
    )
    RunShard.objects.create(run=run, phase=ShardPhase.DRAFT, number=number, accounts=len(entries), cutoff=cutoff)
    reopen(run, RunState.DRAFTING)
    bell.ring("billing.tasks.draft", cluster="money")


def reopen(run: Run, state: RunState) -> None:
    """Take a run back before its approval because there is something new to agree to."""
    Run.objects.filter(pk=run.pk).update(
        state=state, approved_by="", approved_at=None, approved_hash="", closed_at=None
    )
    run.state = state


def next_shard(run: Run) -> int:
    """Return a shard number that the run has not used."""
    last = RunShard.objects.filter(run=run).order_by("-number").values_list("number", flat=True).first()
    return 0 if last is None else last + 1


def _entry(run: Run, account_id: int) -> RunAccount:
    entry = RunAccount.objects.select_related("account", "invoice").filter(run=run, account_id=account_id).first()
    if entry is None:
        raise NotFound(f"That account is not on the roster of {run}.")
    return entry
