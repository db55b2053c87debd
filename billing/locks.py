"""Every row lock of billing, in one order: run, shard, invoice, credits (by row), number series (last, shortest)."""

from collections.abc import Iterable

from django.db import connection

from billing.models import CreditGrant, CreditState, Invoice, Run, RunShard, RunState
from core.errors import NotFound
from core.leases import LeaseLost
from core.models import WorkState


def run(run_id: int) -> Run:
    """Lock a run for a change of its state; whoever writes for it waits."""
    found = Run.objects.select_for_update().filter(pk=run_id).first()
    if found is None:
        raise NotFound(f"There is no run {run_id}.")
    return found


def drafting(account_id: int) -> None:
    """Wait for the shards that write drafts of an account at this moment, and let none write until the end."""
    writing = Run.objects.filter(state=RunState.DRAFTING, shadow=False, roster__account_id=account_id)
    list(Run.objects.select_for_update().filter(pk__in=writing.values("pk")).order_by("pk"))


def running(run_id: int, state: RunState) -> None:
    """Keep a run in ``state`` until the transaction ends, beside other workers; LeaseLost when it left it."""
    with connection.cursor() as cursor:
        cursor.execute("select 1 from billing_run where id = %s and state = %s for share", [run_id, state])
        if cursor.fetchone() is None:
            raise LeaseLost(f"Run {run_id} is no longer {state.label.lower()}; this shard's result is dropped.")


def shard(work: RunShard) -> None:
    """Lock a leased shard; raise LeaseLost when another worker took it over."""
    held = RunShard.objects.select_for_update().filter(pk=work.pk, fence=work.fence, state=WorkState.LEASED)
    if not held.exists():
        raise LeaseLost(f"{work} was taken over by another worker; this result is dropped.")


def invoice(invoice_id: int) -> Invoice:
    """Lock one invoice for a change."""
    found = Invoice.objects.select_for_update(of=("self",)).filter(pk=invoice_id).first()
    if found is None:
        raise NotFound(f"There is no invoice {invoice_id}.")
    return found


def grants(account_ids: Iterable[int]) -> list[CreditGrant]:
    """Lock the active credits of some accounts, in row order."""
    active = CreditGrant.objects.filter(account_id__in=list(account_ids), state=CreditState.ACTIVE)
    return list(active.select_for_update().order_by("pk"))
