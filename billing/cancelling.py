"""Cancel a run before anything of it was issued: drafts go, credits come back, the roster stays on record."""

from django.db.models import F

from billing import draft_store, locks
from billing.models import Invoice, InvoiceStatus, Run, RunAccount, RunShard, RunState
from core import audit
from core.errors import Conflict, Invalid
from core.models import WorkState

CHUNK = 5000  # accounts whose drafts go in one statement


def cancel(run_id: int, *, actor: str, reason: str) -> Run:
    """Cancel a run, so that its month can be opened anew; a repeat changes nothing.

    Raises Conflict when one of its invoices was issued.
    """
    if not reason.strip():
        raise Invalid("Say why the run is cancelled.", field="reason")
    with audit.acting(actor, reason):
        run = locks.run(run_id)
        if run.state == RunState.CANCELLED:
            return run
        if run.state in (RunState.ISSUING, RunState.CLOSED) or _has_issued(run):
            raise Conflict(f"Invoices of {run} were issued; correct them by credit notes instead.")
        RunShard.objects.filter(run=run).exclude(state=WorkState.DONE).update(
            state=WorkState.DONE, lease_until=None, fence=F("fence") + 1, last_error="cancelled"
        )
        with audit.acting(run.actor, reason):
            accounts = list(
                RunAccount.objects.filter(run=run, invoice__isnull=False).values_list("account_id", flat=True)
            )
            for start in range(0, len(accounts), CHUNK):
                draft_store.delete(run, accounts[start : start + CHUNK])
        run.state, run.approved_by, run.approved_at, run.approved_hash = RunState.CANCELLED, "", None, ""
        run.save(update_fields=["state", "approved_by", "approved_at", "approved_hash"])
    return run


def _has_issued(run: Run) -> bool:
    return Invoice.objects.filter(run=run).exclude(status=InvoiceStatus.DRAFT).exists()
