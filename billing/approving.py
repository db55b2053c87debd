"""Approval: a second person agrees to exactly the drafts as they are; any later change asks again."""

from django.db import connection

from billing import locks, people
from billing.models import InvoiceLine, InvoiceStatus, Outcome, Run, RunState
from core import audit, clock, sql
from core.errors import Conflict, Refused

CAPABILITY = "runs.approve"


def approve(run_id: int, *, actor: str, reason: str = "") -> Run:
    """Record that ``actor`` agrees to the run's drafts; a repeat by the same person changes nothing.

    Raises Refused unless the actor is a person of finance who neither opened the run nor wrote one of its lines,
    and Conflict when the run is not in review.
    """
    people.require(actor, CAPABILITY)
    with audit.acting(actor, reason or "approve run"):
        run = locks.run(run_id)
        if run.state == RunState.APPROVED and people.same(run.approved_by, actor):
            return run
        if run.state != RunState.REVIEW:
            raise Conflict(f"{run} is {run.get_state_display().lower()}; only a run in review can be approved.")
        if run.shadow:
            raise Conflict(f"{run} is a shadow; nothing of it is ever issued.")
        _refuse_makers(run, actor)
        run.state, run.approved_by, run.approved_at = RunState.APPROVED, actor, clock.database_now()
        run.approved_hash = hash_of_drafts(run)
        run.save(update_fields=["state", "approved_by", "approved_at", "approved_hash"])
    return run


def _refuse_makers(run: Run, actor: str) -> None:
    if people.same(run.opened_by, actor):
        raise Refused("You opened this run; somebody else of finance must approve it.")
    authors = InvoiceLine.objects.filter(
        invoice__run=run, invoice__status=InvoiceStatus.DRAFT, invoice__roster_entry__outcome=Outcome.DRAFTED
    ).exclude(author="")
    if any(people.same(author, actor) for author in authors.values_list("author", flat=True).distinct()):
        raise Refused("You changed lines of these drafts; somebody else of finance must approve them.")


def hash_of_drafts(run: Run) -> str:
    """Return the hash of all drafts of the run that are to be issued, computed by the database from their rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql.load("billing", "drafts_hash"), {"run": run.pk})
        digest: str = cursor.fetchone()[0]
    return digest


def withdraw(run: Run) -> None:
    """Return an approved run to review because its drafts changed; the caller holds the run's lock."""
    if run.state == RunState.APPROVED:
        Run.objects.filter(pk=run.pk).update(state=RunState.REVIEW, approved_by="", approved_at=None, approved_hash="")
        run.state = RunState.REVIEW
