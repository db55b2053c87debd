"""What can be done with a run as it stands: which action, by whom, why not, and what exactly it would do."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from accounts.models import User
from accounts.permissions import has
from billing import people, reviewing
from billing.models import Outcome, Run, RunAccount, RunShard, RunState, ShardPhase
from billing.reviewing import Amount
from billing.running import Progress
from core import formatting
from core.models import WorkState

BEFORE_ISSUE: Final = (RunState.DRAFTING, RunState.REVIEW, RunState.APPROVED)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done with a run; ``refusal`` says why not now, or nothing."""

    name: str
    label: str
    title: str  # before the run's name, on the page that asks
    capability: str
    refusal: Callable[[Run, Progress, User], str]
    tone: str = ""


def offered(run: Run, progress: Progress, person: User) -> list[Action]:
    """Return what ``person`` can do with the run now, the obvious thing first."""
    return [
        action
        for action in ACTIONS.values()
        if has(person, action.capability) and not action.refusal(run, progress, person)
    ]


def next_step(run: Run, progress: Progress, person: User) -> str:
    """Say what happens next with the run, and who does it."""
    if run.state == RunState.REVIEW and run.shadow:
        return "A shadow: look at it and compare. Nothing of it is ever issued."
    if run.state == RunState.REVIEW and people.same(run.opened_by, person.actor):
        return "You opened this run. When it looks right, somebody else of finance approves it."
    return _WAITS[RunState(run.state)](progress)


def _after_issue(progress: Progress) -> str:
    if not progress.outcomes[Outcome.HELD] + progress.outcomes[Outcome.FAILED]:
        return "Workers number, post and print the invoices; nothing to do but watch."
    return "Mend, release or retry what is held or failed; or close the run, and their usage goes on the next invoice."


_WAITS: Final[Mapping[RunState, Callable[[Progress], str]]] = {
    RunState.DRAFTING: lambda progress: "Workers draft the invoices; nothing to do but watch.",
    RunState.REVIEW: lambda progress: (
        "Look at what failed, what is held and what moved; then a second person approves."
    ),
    RunState.APPROVED: lambda progress: "Approved. Issuing gives the invoices their numbers and sends them.",
    RunState.ISSUING: _after_issue,
    RunState.CLOSED: lambda progress: "Closed: every account of the roster has ended.",
    RunState.CANCELLED: lambda progress: "Cancelled. Nothing of it was sent; the month can be opened again.",
}


def _approve(run: Run, progress: Progress, person: User) -> str:
    if run.shadow:
        return "This is a shadow; nothing of it is ever issued, so there is nothing to approve."
    if run.state != RunState.REVIEW:
        return f"The run is {_state(run)}; only a run in review can be approved."
    if people.same(run.opened_by, person.actor):
        return "You opened this run; somebody else of finance must approve it."
    return ""


def _issue(run: Run, progress: Progress, person: User) -> str:
    return "" if run.state == RunState.APPROVED else f"The run is {_state(run)}; it is issued when it is approved."


def _retry(run: Run, progress: Progress, person: User) -> str:
    if run.state not in (*BEFORE_ISSUE, RunState.ISSUING):
        return f"The run is {_state(run)}; usage that was left out goes on the next invoice."
    if not progress.outcomes[Outcome.FAILED] and not dead_shards(run):
        return "No account failed, so there is nothing to retry."
    return "The run is being issued right now; try again when that is done." if busy_issuing(run) else ""


def _cancel(run: Run, progress: Progress, person: User) -> str:
    if run.state in BEFORE_ISSUE and not progress.outcomes[Outcome.ISSUED]:
        return ""
    return f"The run is {_state(run)}; only a run of which nothing was issued can be cancelled."


def _close(run: Run, progress: Progress, person: User) -> str:
    if run.state != RunState.ISSUING or busy_issuing(run):
        return f"The run is {_state(run)}; it can be closed when its drafts are issued."
    if progress.outcomes[Outcome.DRAFTED] or progress.outcomes[Outcome.PENDING]:
        return "Some accounts are drafted and not issued yet; issue them first."
    return ""


ACTIONS: Final[Mapping[str, Action]] = {
    action.name: action
    for action in (
        Action("approve", "Approve", "Approve", "runs.approve", _approve),
        Action("issue", "Issue invoices", "Issue the invoices of", "runs.issue", _issue),
        Action("retry", "Retry failed", "Retry what failed in", "runs.open", _retry),
        Action("close", "Close", "Close", "runs.issue", _close),
        Action("cancel", "Cancel run", "Cancel", "runs.open", _cancel, tone="danger"),
    )
}


def busy_issuing(run: Run) -> bool:
    """Say whether workers are issuing the run's shards, or are about to."""
    waiting = [WorkState.READY, WorkState.LEASED]
    return RunShard.objects.filter(run=run, phase=ShardPhase.ISSUE, state__in=waiting).exists()


def dead_shards(run: Run) -> int:
    """Return how many of the shards that the run is issuing were tried too often."""
    if run.state != RunState.ISSUING:  # an earlier issue's: they are ordered anew with the next
        return 0
    return RunShard.objects.filter(run=run, phase=ShardPhase.ISSUE, state=WorkState.DEAD).count()


def would_approve(run: Run, progress: Progress) -> str:
    """Say exactly what an approval agrees to."""
    return (
        f"Agrees to exactly {in_words(reviewing.to_issue(run), 'draft')}.{_left_out(progress)}{_not_waited_for(run)}"
        " Nothing is sent before the run is issued, and any change to a draft asks for approval again."
    )


def _not_waited_for(run: Run) -> str:
    """Remind of the usage that may be missing, and why it was not waited for."""
    if not run.unconfirmed:
        return ""
    names = ", ".join(one["source"] for one in run.unconfirmed)
    return f" It was opened without waiting for {names}, whose usage may be incomplete: “{run.unconfirmed_reason}”."


def would_issue(run: Run, progress: Progress) -> str:
    """Say exactly what issuing does, to how many."""
    return (
        f"Issues {in_words(reviewing.to_issue(run), 'invoice')}.{_left_out(progress)} They get their numbers, are"
        " posted to the ledger, sent to the customers and charged when due. An issued invoice is never edited: mistakes"
        " are corrected by credit notes."
    )


def would_cancel(run: Run, progress: Progress) -> str:
    """Say exactly what cancelling does."""
    return (
        f"Deletes {in_words(reviewing.all_invoices(run), 'draft')} and gives their credits back. The roster stays as a"
        " record, and the month can be opened again."
    )


def would_retry(run: Run, progress: Progress) -> str:
    """Say exactly what a retry takes up."""
    if shards := dead_shards(run):
        return f"Tries again to issue {counted(shards, 'shard')} that workers gave up. They are approved already."
    failed = counted(progress.outcomes[Outcome.FAILED], "failed account")
    return f"Drafts {failed} anew, from the usage and prices known now. The new drafts ask for approval again."


def would_close(run: Run, progress: Progress) -> str:
    """Say exactly what closing gives up."""
    held, failed = progress.outcomes[Outcome.HELD], progress.outcomes[Outcome.FAILED]
    return (
        f"Gives up {counted(held, 'held account')} and {counted(failed, 'failed account')} for this month. The next"
        " run that does not give them up bills their usage as adjustments, however many months later."
    )


def would_hold(run: Run, entry: RunAccount) -> str:
    """Say exactly what holding an account does."""
    what = f"Keeps {entry.account} ({entry.account.code}) out of the issue until somebody releases it"
    draft = f"; its draft of {_of(entry)} stays as it is." if entry.invoice else "."
    again = " The run's approval is withdrawn, and it is reviewed again." if run.state == RunState.APPROVED else ""
    return what + draft + again


def would_release(run: Run, entry: RunAccount) -> str:
    """Say exactly what releasing an account does."""
    name = f"{entry.account} ({entry.account.code})"
    if entry.invoice:
        does = f"Lets the draft of {name}, {_of(entry)}, go on as it is."
    else:
        does = f"Drafts {name} anew, from the usage and prices known now."
    again = run.state in (RunState.APPROVED, RunState.ISSUING)
    return does + (" The run is reviewed and approved again for it." if again else "")


def would_redraft(run: Run, entry: RunAccount) -> str:
    """Say exactly what retrying one account does."""
    again = run.state in (RunState.APPROVED, RunState.ISSUING)
    return (
        f"Drafts {entry.account} ({entry.account.code}) anew, from the usage and prices known now."
        f"{' The run is reviewed and approved again for it.' if again else ''}"
    )


def was_issued(run: Run, on: date) -> str:
    """Say that issuing began."""
    return f"The invoices are being issued, dated {formatting.day(on)}. This page shows how far it is."


def in_words(amounts: Iterable[Amount], noun: str) -> str:
    """Count invoices and say what they come to: ``214 drafts, 1,234.50 USD and 12 JPY``."""
    amounts = list(amounts)
    sums = " and ".join(formatting.amount_with_currency(a.total, a.currency) for a in amounts)
    return counted(sum(a.invoices for a in amounts), noun) + (f", {sums}" if sums else "")


def counted(count: int, noun: str) -> str:
    """Write a number with its noun: ``1 draft``, ``1,204 drafts``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _left_out(progress: Progress) -> str:
    counts = [(progress.outcomes[outcome], outcome) for outcome in (Outcome.HELD, Outcome.FAILED)]
    waiting = [counted(count, f"{outcome} account") for count, outcome in counts if count]
    return f" Not part of it: {' and '.join(waiting)}." if waiting else ""


def _of(entry: RunAccount) -> str:
    assert entry.invoice is not None  # noqa: S101  callers asked
    return formatting.amount_with_currency(entry.invoice.total, entry.invoice.currency)


def _state(run: Run) -> str:
    return str(run.get_state_display()).lower()
