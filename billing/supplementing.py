"""Add to a month's run the accounts that came after its roster was frozen and used something in its month."""

from datetime import datetime

from accounts.models import Account
from billing import holding, locks
from billing.models import Outcome, Run, RunAccount, RunState
from billing.running import SHARD_ACCOUNTS
from core import audit
from core.errors import Conflict
from core.periods import Month
from usage import completeness
from usage import cutoff as usage_cutoff


def missing(run: Run, cutoff: datetime | None = None) -> list[int]:
    """Return the accounts (rows) that used something in the run's month and are not on its roster."""
    span = Month.containing(run.month).span
    owners = completeness.owners(span, cutoff=cutoff or usage_cutoff.freeze())
    rostered = RunAccount.objects.filter(run=run).values("account_id")
    late = Account.objects.filter(code__in=owners).exclude(pk__in=rostered)
    return list(late.order_by("pk").values_list("pk", flat=True))


def add_missing(run_id: int, *, actor: str, reason: str = "") -> int:
    """Put accounts that are missing on the roster and draft them; return how many. A repeat finds none.

    A closed run is opened again for them alone: what was issued stays, and the new drafts need an approval.
    Raises Conflict for a cancelled run, a shadow, and while a run is being issued.
    """
    cutoff = usage_cutoff.freeze()
    with audit.acting(actor, reason or "add missing accounts"):
        run = locks.run(run_id)
        if run.shadow:
            raise Conflict(f"{run} is a shadow; open another one instead.")
        if run.state != RunState.CLOSED:
            holding.refuse_ended(run)
        accounts = missing(run, cutoff)
        for start in range(0, len(accounts), SHARD_ACCOUNTS):
            with audit.acting(run.actor):
                entries = RunAccount.objects.bulk_create(
                    RunAccount(run=run, account_id=account, shard=0, outcome=Outcome.PENDING)
                    for account in accounts[start : start + SHARD_ACCOUNTS]
                )
                holding.draft_anew(run, entries, cutoff)
    return len(accounts)
