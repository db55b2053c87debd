"""Runs: open one for a month, know how far it is, move it on when its shards are done, close it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, connection
from django.db.models import Count, Sum

from billing import draft_store, locks, unsettled
from billing.code_version import code_version
from billing.models import Invoice, Outcome, Run, RunAccount, RunShard, RunState, Seller, ShardPhase
from core import audit, bell, clock, databases, sql
from core.errors import Conflict
from core.formatting import iso, moment
from core.models import WorkState
from core.periods import Month
from usage import cutoff as usage_cutoff
from usage import watermark
from usage.models import Source
from usage.watermark import Watermark

SHARD_ACCOUNTS = 1000
TASK_SECONDS = 60  # then a task ends and rings again, well before the queue's own time limit
DRAFT_TASK = "billing.tasks.draft"
ISSUE_TASK = "billing.tasks.issue"
ENDED = (Outcome.ISSUED, Outcome.ZERO)
WAITING = (Outcome.HELD, Outcome.FAILED)


class NotConfirmed(Conflict):
    """Usage of the month may still arrive: a source has not confirmed it."""

    code = "usage_not_confirmed"

    def __init__(self, month: Month, waited_for: Sequence[tuple[Source, Watermark]]) -> None:
        marks = (f"{s.name} ({f'complete up to {moment(m.until)}' if m.until else m.basis})" for s, m in waited_for)
        super().__init__(
            f"{month} waits for {', '.join(marks)}: its usage may not all have arrived. Let them confirm it, or give a"
            " reason for not waiting; it is shown to whoever approves the run."
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: roster lines by outcome, shards done of all, and what its invoices come to by currency."""

    run: Run
    roster: int
    outcomes: Mapping[str, int]
    shards: int
    shards_done: int
    shards_dead: int  # tried too often; a person looks
    totals: Mapping[str, Decimal]
    invoices: int

    @property
    def share(self) -> float:
        """The part of all shards that is done, from 0 to 1: for a progress bar."""
        return self.shards_done / self.shards if self.shards else 1.0


def live(month: Month, *, shadow: bool = False) -> Run | None:
    """Return the month's run that was not cancelled, or its latest shadow."""
    runs = Run.objects.filter(month=month.first_day, shadow=shadow).exclude(state=RunState.CANCELLED)
    return runs.order_by("-pk").first()


def open_run(
    month: Month, *, shadow: bool = False, actor: str, despite: str = "", shard_accounts: int = SHARD_ACCOUNTS
) -> Run:
    """Open the month's run: freeze what usage is known, the roster and its shards. A second call returns the first.

    A shadow may look at a month that is not over, and every shadow is another run. Raises Conflict for a month
    that is not over, and when there is no seller; and NotConfirmed while a source has not confirmed that all of the
    month has arrived, unless ``despite`` says why that is not waited for: the run keeps the reason and who was missing.
    """
    existing = None if shadow else live(month)
    if existing is not None:
        return existing
    now = clock.database_now()
    if not shadow and now < month.end:
        raise Conflict(f"{month} is not over; close it from {month.end:%Y-%m-%d} on, or look at it with a shadow run.")
    seller = Seller.objects.filter(is_default=True).first()
    if seller is None:
        raise Conflict("There is no default seller; add one to the reference data first.")
    missing = [] if shadow else _unconfirmed(month, despite)
    cutoff = usage_cutoff.freeze()
    try:
        return _open(month, shadow, actor, seller, cutoff, shard_accounts, missing, despite.strip())
    except IntegrityError:
        found = live(month)
        if found is None or shadow:
            raise
        return found


def _unconfirmed(month: Month, despite: str) -> list[dict[str, str | None]]:
    """Return the sources that the run does not wait for, as it keeps them; raise NotConfirmed when it has to."""
    waited_for = watermark.waited_for(month.end, now=clock.database_now(databases.usage()))
    if waited_for and not despite.strip():
        raise NotConfirmed(month, waited_for)
    return [{"source": one.name, "until": iso(mark.until) if mark.until else None} for one, mark in waited_for]


def _open(
    month: Month,
    shadow: bool,
    actor: str,
    seller: Seller,
    cutoff: datetime,
    shard_accounts: int,
    missing: list[dict[str, str | None]],
    despite: str,
) -> Run:
    with audit.acting(actor, f"open run {month}" + (f", not waiting: {despite}" if missing else "")):
        now = clock.database_now()
        run = Run.objects.create(
            month=month.first_day,
            shadow=shadow,
            seller=seller,
            cutoff=cutoff,
            prices_at=now,
            opened_by=actor,
            opened_at=now,
            code_version=code_version(),
            unconfirmed=missing,
            unconfirmed_reason=despite if missing else "",
        )
        with audit.acting(run.actor), connection.cursor() as cursor:
            cursor.execute(
                sql.load("billing", "open_roster"),
                {
                    "run": run.pk,
                    "size": shard_accounts,
                    "since": unsettled.window(month).start,
                    "month": month.first_day,
                },
            )
            cursor.execute(sql.load("billing", "open_shards"), {"run": run.pk, "cutoff": cutoff})
            shards = cursor.rowcount
        for _ in range(min(shards, 4)):
            bell.ring(DRAFT_TASK, cluster="money")
    advance(run.pk)
    run.refresh_from_db()
    return run


def progress(run: Run) -> Progress:
    """Return how far the run is, from its rows as they are now."""
    rows = RunAccount.objects.filter(run=run).values_list("outcome").annotate(count=Count("pk")).order_by()
    outcomes = {outcome: 0 for outcome in Outcome.values} | dict(rows)
    phase = ShardPhase.ISSUE if run.state in (RunState.ISSUING, RunState.CLOSED) else ShardPhase.DRAFT
    shards = RunShard.objects.filter(run=run, phase=phase)
    totals = Invoice.objects.filter(run=run).values_list("currency").annotate(total=Sum("total")).order_by("currency")
    return Progress(
        run,
        sum(outcomes.values()),
        outcomes,
        shards.count(),
        shards.filter(state=WorkState.DONE).count(),
        shards.filter(state=WorkState.DEAD).count(),
        dict(totals),
        Invoice.objects.filter(run=run).count(),
    )


def advance_all() -> None:
    """Move every run on whose shards are all done: what a worker that died after its last shard left undone."""
    for run_id in Run.objects.filter(state__in=[RunState.DRAFTING, RunState.ISSUING]).values_list("pk", flat=True):
        advance(run_id)


def advance(run_id: int) -> None:
    """Move one run to review, or close it, when nothing of its phase is left to do. Repeatable."""
    with audit.acting(f"run:{run_id}", "shards done"):
        run = locks.run(run_id)
        phase = {RunState.DRAFTING: ShardPhase.DRAFT, RunState.ISSUING: ShardPhase.ISSUE}.get(RunState(run.state))
        if phase is None or _unfinished(run, phase):
            return
        if phase == ShardPhase.DRAFT:
            _fail_dead_shards(run)
            Run.objects.filter(pk=run.pk).update(state=RunState.REVIEW)
        elif not RunAccount.objects.filter(run=run).exclude(outcome__in=ENDED).exists():
            Run.objects.filter(pk=run.pk).update(state=RunState.CLOSED, closed_at=clock.database_now())


def _unfinished(run: Run, phase: ShardPhase) -> bool:
    waiting = [WorkState.READY, WorkState.LEASED]
    return RunShard.objects.filter(run=run, phase=phase, state__in=waiting).exists()


def _fail_dead_shards(run: Run) -> None:
    """Give the accounts of a shard that was tried too often their reason; they can be retried."""
    for shard in RunShard.objects.filter(run=run, phase=ShardPhase.DRAFT, state=WorkState.DEAD):
        pending = RunAccount.objects.filter(run=run, shard=shard.number, outcome=Outcome.PENDING)
        why = f"Its shard failed {shard.attempts} times: {shard.last_error or 'the worker died'}"
        pending.update(outcome=Outcome.FAILED, reason_code="shard", reason=why)


def close(run_id: int, *, actor: str, reason: str) -> Run:
    """Close a run whose held and failed accounts are given up for this month; the next run bills their usage.

    Their drafts go, and credits that these took come back.

    Raises Conflict while anything is still being built or issued.
    """
    with audit.acting(actor, reason):
        run = locks.run(run_id)
        if run.state == RunState.CLOSED:
            return run
        if run.state != RunState.ISSUING or _unfinished(run, ShardPhase.ISSUE):
            raise Conflict(f"{run} is {run.get_state_display().lower()}; it can be closed when its drafts are issued.")
        if RunAccount.objects.filter(run=run).exclude(outcome__in=[*ENDED, *WAITING]).exists():
            raise Conflict(f"{run} has accounts that are drafted and not issued; issue them first.")
        given_up = RunAccount.objects.filter(run=run, outcome__in=WAITING, invoice__isnull=False)
        draft_store.delete(run, list(given_up.values_list("account_id", flat=True)))
        run.state, run.closed_at = RunState.CLOSED, clock.database_now()
        run.save(update_fields=["state", "closed_at"])
    return run
