"""The state of the month, for the staff's home: the run that matters, its money, and what waits for a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum
from django.utils.module_loading import import_string

from accounts import permissions
from billing import people, unbilled
from billing.models import CreditGrant, CreditState, Invoice, Outcome, PaymentStatus, Run, RunState
from billing.running import Progress, progress
from collections_.models import AttemptOutcome, Case, CaseState, ChargeAttempt
from core import clock, formatting
from core.exact import ZERO
from core.models import LeasedWork, WorkState
from core.periods import Month
from monitoring import status
from usage import health
from usage.models import PairingProblem, QuarantinedEvent, QuarantineState, Source


@dataclass(frozen=True, slots=True)
class Step:
    """The one obvious thing to do next; ``href`` is empty when there is only to wait."""

    text: str
    href: str = ""
    button: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person, with how many and where."""

    what: str
    count: int
    href: str
    tone: str = "warn"


@dataclass(frozen=True, slots=True)
class Money:
    """One month's money in one currency; ``unknown`` is charged without an answer."""

    currency: str
    billed: Decimal
    collected: Decimal
    outstanding: Decimal
    past_due: Decimal
    unknown: Decimal


def latest_run() -> Run | None:
    """Return the real run of the latest month that has one."""
    return Run.objects.filter(shadow=False).exclude(state=RunState.CANCELLED).order_by("-month", "-pk").first()


def next_step(run: Run | None, person: object, *, as_of: date) -> Step:
    """Say what ``person`` can do about the month, or what it waits for."""
    ended = Month.containing(as_of).previous
    if run is None or (run.state == RunState.CLOSED and run.month < ended.first_day):
        return _to_open(ended, person)
    if run.state == RunState.CLOSED:
        return Step(f"{formatting.month(run.month)} is closed. The running month can be closed when it is over.")
    here = f"/runs/{run.pk}/"
    if run.state == RunState.REVIEW:
        return _to_review(run, here, person)
    if run.state != RunState.APPROVED:
        return Step("Workers are on it; nothing to do but watch.", here, "Watch")
    if permissions.has(person, "runs.issue"):
        return Step("Approved by a second person. Issue the invoices.", here, "Issue")
    return Step("Approved; waits for finance to issue it.")


def _to_review(run: Run, here: str, person: object) -> Step:
    if not permissions.has(person, "runs.approve"):
        return Step("Waits for finance to review and approve it.")
    if people.same(str(getattr(person, "actor", "")), run.opened_by):
        return Step("You opened it: review it, then somebody else of finance approves.", here, "Review")
    return Step("Review the drafts and approve them.", here, "Review and approve")


def _to_open(month: Month, person: object) -> Step:
    if permissions.has(person, "runs.open"):
        return Step(f"{formatting.month(month)} is over and not yet closed.", "/runs/", "Open its run")
    return Step(f"{formatting.month(month)} is over; finance or an operator opens its run.")


def sources(*, at: datetime) -> list[tuple[Source, str, datetime | None]]:
    """Return the sources with how they do and when they were last heard, those in trouble first."""
    found = [(source, health.health(source, at), health.last_heard(source)) for source in Source.objects.expected()]
    trouble = (health.SILENT, health.LATE, health.NEW, health.HEALTHY)
    return sorted(found, key=lambda row: trouble.index(row[1]) if row[1] in trouble else len(trouble))


def how_far(run: Run | None) -> Progress | None:
    """Return the run's progress, or None when there is no run."""
    return progress(run) if run else None


def money(month: Month, *, as_of: date) -> list[Money]:
    """Return the month's issued invoices by currency; an empty list before anything was issued."""
    issued = Invoice.objects.issued().filter(period_start=month.first_day).exclude(status="void")
    open_ = Q(status="open")
    rows = (
        issued.order_by("currency")
        .values("currency")
        .annotate(
            billed=Sum("total"),
            collected=Sum("settled"),
            open=Sum("outstanding", filter=open_),
            late=Sum("outstanding", filter=open_ & Q(due_on__lt=as_of)),
            unsure=Sum("outstanding", filter=open_ & Q(payment_status=PaymentStatus.UNKNOWN)),
        )
    )
    return [
        Money(
            row["currency"],
            row["billed"],
            row["collected"],
            row["open"] or ZERO,
            row["late"] or ZERO,
            row["unsure"] or ZERO,
        )
        for row in rows
    ]


def waiting(run: Run | None) -> list[Waiting]:
    """Return what waits for a person, worst first; nothing that is zero."""
    found = [*_waiting_of(run), *_waiting_anywhere()]
    return sorted((item for item in found if item.count), key=lambda item: item.tone != "bad")


def _waiting_of(run: Run | None) -> Iterable[Waiting]:
    if run is None:
        return
    roster = run.roster.filter(outcome__in=[Outcome.HELD, Outcome.FAILED]).values_list("outcome", flat=True)
    outcomes = list(roster)
    yield Waiting(
        "accounts failed in the run", outcomes.count(Outcome.FAILED), f"/runs/{run.pk}/?outcome=failed", "bad"
    )
    yield Waiting("accounts held in the run", outcomes.count(Outcome.HELD), f"/runs/{run.pk}/?outcome=held")


def _waiting_anywhere() -> Iterable[Waiting]:
    work: list[type[LeasedWork]] = [import_string(path) for _, path in status.WORK]
    dead = sum(model._default_manager.filter(state=WorkState.DEAD).count() for model in work)
    yield Waiting("pieces of work gave up", dead, "/status/", "bad")
    manual = ChargeAttempt.objects.filter(outcome=AttemptOutcome.MANUAL)
    yield Waiting("charges need a person to ask the gateway", manual.count(), "/payments/?outcome=manual", "bad")
    unknown = ChargeAttempt.objects.filter(outcome=AttemptOutcome.UNKNOWN)
    yield Waiting("charges without an answer", unknown.count(), "/payments/?outcome=unknown")
    quarantine: QuerySet[QuarantinedEvent] = QuarantinedEvent.objects.filter(state=QuarantineState.WAITING)
    yield Waiting("events in quarantine", quarantine.count(), "/usage/problems/")
    yield Waiting("opens or closes that do not pair", PairingProblem.objects.count(), "/usage/problems/?tab=pairing")
    for counted in unbilled.latest(clock.database_now()):
        month, here = formatting.month(counted.month), f"/usage/unbilled/?month={counted.month:%Y-%m}&kind="
        yield Waiting(f"resources without an owner in {month}", counted.unowned, f"{here}unowned", "bad")
        yield Waiting(f"accounts' products without a price in {month}", counted.unpriced, f"{here}unpriced", "bad")
        yield Waiting(f"unknown accounts that used something in {month}", counted.strangers, f"{here}strangers", "bad")
    asked = CreditGrant.objects.filter(state=CreditState.REQUESTED)
    yield Waiting("credits to approve", asked.count(), "/credits/?state=requested")
    yield Waiting("cases open", Case.objects.filter(state=CaseState.OPEN).count(), "/collections/")
