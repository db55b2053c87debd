"""What people look at before they approve a run: how its roster ended, what it comes to, and what moved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Min, Q, Sum

from billing.models import Invoice, InvoiceKind, InvoiceStatus, Outcome, Run, RunAccount, RunShard, RunState, ShardPhase
from core import sql
from core.models import WorkState
from core.periods import Month

UNBUILT: Final = (Outcome.HELD, Outcome.FAILED, Outcome.PENDING)


@dataclass(frozen=True, slots=True)
class Amount:
    """What some invoices of one currency come to."""

    currency: str
    invoices: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Summary:
    """One run in a list: roster lines by outcome and amounts by currency."""

    outcomes: Mapping[str, int]
    amounts: Sequence[Amount] = ()

    @property
    def accounts(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class Beside:
    """A run in one currency beside the month before."""

    currency: str
    invoices: int
    total: Decimal
    invoices_before: int
    total_before: Decimal

    @property
    def change(self) -> Decimal:
        return self.total - self.total_before

    @property
    def ratio(self) -> Decimal | None:
        """The change as a part of the month before; None when there was nothing."""
        return self.change / self.total_before if self.total_before else None


@dataclass(frozen=True, slots=True)
class Mover:
    """One account whose bill changed. ``invoice`` is its row in this run, when there is one."""

    account: str
    name: str
    currency: str
    amount: Decimal
    before: Decimal
    outcome: str
    invoice: int | None

    @property
    def change(self) -> Decimal:
        return self.amount - self.before

    @property
    def kind(self) -> str:
        """Say ``new``, ``gone``, ``up`` or ``down``; an account without an amount yet says why (held, failed …)."""
        if not self.amount and self.outcome in UNBUILT:
            return self.outcome
        if not self.before:
            return "new"
        if not self.amount:
            return "gone"
        return "up" if self.change > 0 else "down"


def summaries(runs: Iterable[Run]) -> dict[int, Summary]:
    """Return the summary of each run, in two statements however many they are."""
    keys = [run.pk for run in runs]
    outcomes: dict[int, dict[str, int]] = {key: dict.fromkeys(Outcome.values, 0) for key in keys}
    roster = RunAccount.objects.filter(run_id__in=keys).values_list("run_id", "outcome").order_by()
    for run, outcome, count in roster.annotate(count=Count("pk")):
        outcomes[run][outcome] = count
    amounts: dict[int, list[Amount]] = {key: [] for key in keys}
    invoices = Invoice.objects.filter(run_id__in=keys).values_list("run_id", "currency").order_by("currency")
    for run, currency, count, total in invoices.annotate(count=Count("pk"), sum=Sum("total")):
        amounts[run].append(Amount(currency, count, total))
    return {key: Summary(outcomes[key], amounts[key]) for key in keys}


def to_issue(run: Run) -> list[Amount]:
    """Return what an approval agrees to and an issue sends out: drafts that nobody holds, by currency."""
    return _amounts(Invoice.objects.filter(run=run, roster_entry__outcome=Outcome.DRAFTED))


def month_before(run: Run, accounts: Iterable[int]) -> dict[tuple[int, str], Decimal]:
    """Return what some accounts (by row) were billed for the month before the run's, by account and currency."""
    before = Month.containing(run.month).previous.first_day
    issued = Invoice.objects.filter(account_id__in=list(accounts), period_start=before, kind=InvoiceKind.PERIODIC)
    issued = issued.filter(shadow=False).exclude(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.VOID])
    return {
        (account, currency): total for account, currency, total in issued.values_list("account_id", "currency", "total")
    }


def all_invoices(run: Run) -> list[Amount]:
    """Return what all invoices of the run come to, held drafts included."""
    return _amounts(Invoice.objects.filter(run=run))


def _amounts(invoices: Any) -> list[Amount]:
    rows = invoices.values_list("currency").order_by("currency").annotate(count=Count("pk"), sum=Sum("total"))
    return [Amount(*row) for row in rows]


def beside_month_before(run: Run) -> list[Beside]:
    """Return what the run comes to by currency, beside the invoices of the month before it."""
    return [Beside(*row) for row in _rows("run_beside_month_before", run)]


def movers(run: Run, *, limit: int = 25) -> list[Mover]:
    """Return the accounts whose bill moved most since the month before, ``limit`` in each currency."""
    return [Mover(*row) for row in _rows("run_movers", run, limit=limit)]


def _rows(name: str, run: Run, **more: Any) -> list[tuple[Any, ...]]:
    before = Month.containing(run.month).previous.first_day
    with connection.cursor() as cursor:
        cursor.execute(sql.load("billing", name), {"run": run.pk, "before": before, **more})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def time_left(run: Run, now: datetime) -> timedelta | None:
    """Estimate how long the work under way still takes, at the pace so far; None before its second shard is done."""
    phase = ShardPhase.ISSUE if run.state == RunState.ISSUING else ShardPhase.DRAFT
    done = Q(state=WorkState.DONE)
    shards = RunShard.objects.filter(run=run, phase=phase).aggregate(
        first=Min("finished_at", filter=done), done=Count("pk", filter=done), left=Count("pk", filter=~done)
    )
    if shards["done"] < 2 or shards["first"] is None:
        return None
    return (now - shards["first"]) / (shards["done"] - 1) * shards["left"]
