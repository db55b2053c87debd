"""Draft a month shard by shard: gather without locks, price purely, write in one short transaction under a fence."""

import logging
import time
from collections.abc import Sequence

from django.db import DataError, IntegrityError, transaction

from billing import draft_store, gathering, locks, running
from billing.draft_store import Judged
from billing.gathering import AccountFacts, Facts
from billing.judging import Case, Verdict, assemble
from billing.models import Run, RunShard, RunState
from core import audit, bell, clock, leases
from core.failpoints import failpoint
from core.leases import LeaseLost

LEASE_SECONDS = 120
# Months in their order: each looks at the months before, and two side by side would both bill the same late usage.
_OF_RUNNING = (
    "phase = 'draft' and run_id in (select r.id from billing_run r where r.state = 'drafting' and not exists ("
    "select 1 from billing_run e join billing_runshard s on s.run_id = e.id and s.phase = 'draft'"
    " where e.state = 'drafting' and not e.shadow and not r.shadow and e.month < r.month"
    " and s.state in ('ready', 'leased')))"
)
logger = logging.getLogger(__name__)


def draft_waiting() -> int:
    """Draft shards for up to a minute, and move finished runs to review; return how many were drafted.

    Safe to run twice and beside itself: shards are claimed, and each is written whole or not at all. When more
    are waiting it rings for the next minute.
    """
    drafted, until = 0, time.monotonic() + running.TASK_SECONDS
    while claimed := leases.claim(RunShard, seconds=LEASE_SECONDS, where=_OF_RUNNING):
        drafted += _draft(claimed[0])
        if time.monotonic() > until:
            bell.ring(running.DRAFT_TASK, cluster="money")
            break
    running.advance_all()
    return drafted


def _draft(shard: RunShard) -> bool:
    """Draft one claimed shard; a fault gives it back for a later try."""
    RunShard.objects.filter(pk=shard.pk, started_at=None).update(started_at=clock.database_now())
    try:
        facts = gathering.gather(shard.run, shard)
        judged = [(account, case, assemble(case)) for account, case in cases(facts)]
        failpoint("draft.before_write")
        with audit.acting(shard.run.actor, f"draft shard {shard.number}"):
            locks.running(shard.run_id, RunState.DRAFTING)
            locks.shard(shard)
            due = {
                account.key for account in gathering.accounts_of(shard.run, shard.number)
            }  # minus who is held by now
            _write(shard.run, [entry for entry in judged if entry[0].key in due])
            RunShard.objects.filter(pk=shard.pk).update(finished_at=clock.database_now())
            leases.finish(shard)
            failpoint("draft.before_commit")
    except LeaseLost as lost:
        logger.warning("%s", lost)
        return False
    except Exception as error:
        logger.exception("drafting %s failed", shard)
        leases.give_back(shard, repr(error))
        return False
    return True


def _write(run: Run, judged: Sequence[Judged]) -> None:
    """Write all drafts at once; rows that the database refuses are searched by halves, and only theirs fail."""
    try:
        with transaction.atomic():
            draft_store.replace(run, judged)
    except (DataError, IntegrityError) as error:
        if len(judged) == 1:
            account, case, _ = judged[0]
            why = f"The database refused its draft: {str(error).splitlines()[0]}"
            draft_store.replace(run, [(account, case, Verdict("failed", code="refused", reason=why))])
        else:
            middle = len(judged) // 2
            _write(run, judged[:middle])
            _write(run, judged[middle:])


def cases(facts: Facts) -> list[tuple[AccountFacts, Case]]:
    """Split a shard's facts into one case per account."""
    return [(account, _case(account, facts)) for account in facts.accounts]


def _case(account: AccountFacts, facts: Facts) -> Case:
    earlier = [late.of(account) for late in facts.late if account.key in late.rostered]
    return Case(
        code=account.code,
        currency=account.currency,
        country=account.country,
        region=account.region,
        tax_exempt=account.tax_exempt,
        book=facts.book,
        usage=facts.usage.get(account.code, ()),
        earlier=earlier,
        tax_rates=facts.tax_rates,
        parked=facts.parked.get(account.code),
        taken=facts.taken.get(account.key, ""),
        before=facts.before.get(account.key, ()),
        contract=facts.contracts.get((account.key, account.currency)),
    )
