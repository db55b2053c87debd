"""Issue approved drafts shard by shard: numbers, parties, postings, documents and news in one transaction each."""

import json
import logging
import time
from collections import Counter
from datetime import date
from typing import Any, Final

from django.db import connection

from billing import approving, locks, numbering, people, running
from billing.models import Outcome, Run, RunAccount, RunShard, RunState, Seller, ShardPhase
from core import audit, bell, clock, leases, outbox, sql
from core.errors import Conflict
from core.failpoints import failpoint
from core.leases import LeaseLost
from core.models import WorkState
from core.periods import Month

RENDER_TASK: Final = "billing.tasks.render"
ISSUED: Final = "billing.invoices_issued"
LEASE_SECONDS: Final = 120
NEWS_SIZE: Final = 500  # invoices in one message
CAPABILITY: Final = "runs.issue"
# Shards are issued in order, so that numbers are the same however many workers there are; a dead one is passed over.
_NEXT_ONLY: Final = (
    "phase = 'issue' and not exists (select 1 from billing_runshard s where s.run_id = billing_runshard.run_id"
    " and s.phase = 'issue' and s.number < billing_runshard.number and s.state not in ('done', 'dead'))"
    " and run_id in (select id from billing_run where state = 'issuing')"
)
logger = logging.getLogger(__name__)


def start(run_id: int, *, actor: str, issue_date: date) -> Run:
    """Begin to issue an approved run's drafts, dated ``issue_date``; a repeat changes nothing.

    Raises Conflict unless the run is approved and its drafts are still what was approved, and for a date before
    that of the latest number; Invalid for one before the month or further ahead than can be meant.
    """
    people.require(actor, CAPABILITY)
    with audit.acting(actor, "issue run"):
        run = locks.run(run_id)
        if run.state == RunState.ISSUING:
            return run
        if run.state != RunState.APPROVED:
            raise Conflict(f"{run} is {run.get_state_display().lower()}; it must be approved before it is issued.")
        numbering.refuse_unlikely(issue_date, Month.containing(run.month), clock.database_now().date())
        numbering.refuse_before_latest(run.seller, numbering.INVOICE, issue_date)
        unchanged = approving.hash_of_drafts(run) == run.approved_hash
        if unchanged:
            Run.objects.filter(pk=run.pk).update(state=RunState.ISSUING, issue_date=issue_date)
            _order_shards(run)
        else:
            approving.withdraw(run)
    if not unchanged:
        raise Conflict(f"Drafts of {run} changed after the approval; it is in review again.")
    running.advance(run_id)
    run.refresh_from_db()
    return run


def _order_shards(run: Run) -> None:
    drafted = RunAccount.objects.filter(run=run, outcome=Outcome.DRAFTED)
    counts = Counter(drafted.order_by("shard").values_list("shard", flat=True))
    # What an earlier approval ordered and nobody carried out issued nothing; it is ordered again with the rest.
    RunShard.objects.filter(run=run, phase=ShardPhase.ISSUE).exclude(state=WorkState.DONE).delete()
    RunShard.objects.bulk_create(
        RunShard(run=run, phase=ShardPhase.ISSUE, number=number, accounts=count) for number, count in counts.items()
    )
    if counts:
        bell.ring(running.ISSUE_TASK, cluster="money")


def issue_waiting() -> int:
    """Issue shards for up to a minute, and close finished runs; return how many were issued. Safe to run twice."""
    issued, until = 0, time.monotonic() + running.TASK_SECONDS
    while claimed := leases.claim(RunShard, seconds=LEASE_SECONDS, where=_NEXT_ONLY):
        issued += _issue(claimed[0])
        if time.monotonic() > until:
            bell.ring(running.ISSUE_TASK, cluster="money")
            break
    running.advance_all()
    return issued


def _issue(shard: RunShard) -> bool:
    """Issue one claimed shard; a fault gives it back for a later try."""
    try:
        with audit.acting(shard.run.actor, f"issue shard {shard.number}"):
            locks.running(shard.run_id, RunState.ISSUING)
            locks.shard(shard)
            failpoint("issue.before_number")
            invoices = _issue_drafts(shard)
            _announce(shard, invoices)
            RunShard.objects.filter(pk=shard.pk).update(finished_at=clock.database_now())
            leases.finish(shard)
            failpoint("issue.before_commit")
    except LeaseLost as lost:
        logger.warning("%s", lost)
        return False
    except Exception as error:
        logger.exception("issuing %s failed", shard)
        leases.give_back(shard, repr(error))
        return False
    return True


def _issue_drafts(shard: RunShard) -> list[int]:
    """Number and post the shard's drafts; return their rows in number order."""
    run, on = shard.run, shard.run.issue_date
    assert on is not None  # noqa: S101  set before the first shard was ordered
    count = RunAccount.objects.filter(run=run, shard=shard.number, outcome=Outcome.DRAFTED).count()
    if not count:
        return []
    after = numbering.take(run.seller, numbering.INVOICE, on, count)
    where: dict[str, Any] = {"run": run.pk, "shard": shard.number, "code": run.seller.code, "after": after, "on": on}
    with connection.cursor() as cursor:
        cursor.execute(sql.load("billing", "issue_invoices"), where | {"sold_by": json.dumps(as_printed(run.seller))})
        invoices = sorted(row[0] for row in cursor.fetchall())
        post_and_order(invoices, on)
        cursor.execute(
            "update billing_runaccount set outcome = 'issued' where run_id = %s and shard = %s and outcome = 'drafted'",
            [run.pk, shard.number],
        )
    return invoices


def post_and_order(invoices: list[int], on: date) -> None:
    """Post freshly issued invoices to the ledger and order their documents, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence('billing_ledgertransaction', 'id')) from generate_series(1, %s)",
            [len(invoices)],
        )
        rows = [row[0] for row in cursor.fetchall()]
        cursor.execute(sql.load("billing", "post_issued"), {"invoices": invoices, "transactions": rows, "on": on})
        cursor.execute(sql.load("billing", "order_documents"), {"invoices": invoices})


def _announce(shard: RunShard, invoices: list[int]) -> None:
    for number, batch in enumerate(_batches(invoices)):
        outbox.add(ISSUED, f"run:{shard.run_id}:{shard.number}:{number}", {"invoice_ids": batch})
    if invoices:
        bell.ring(RENDER_TASK, cluster="documents")
        bell.ring("core.tasks.deliver_outbox", cluster="money")


def _batches(rows: list[int]) -> list[list[int]]:
    return [rows[start : start + NEWS_SIZE] for start in range(0, len(rows), NEWS_SIZE)]


def as_printed(seller: Seller) -> dict[str, str]:
    """Return the seller as an issued document keeps it."""
    fields = ("code", "name", "address", "country", "tax_id", "email", "payment_instructions")
    return {field: str(getattr(seller, field)) for field in fields}
