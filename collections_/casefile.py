"""One case's whole story in one place: what is owed, what was tried, what was said, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from billing.models import Invoice
from collections_ import policies, positions, wording, worklist
from collections_.models import Case, CaseStep, ChargeAttempt
from collections_.positions import Owed
from collections_.worklist import Next
from core import formatting

BEFORE: Final = timedelta(days=45)  # tries before the case was opened belong to its story


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story, as the timeline component shows it."""

    at: datetime
    actor: str
    what: str
    detail: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class PastDue:
    """One invoice that the case is about, with the rung it stands on."""

    owed: Owed
    days: int
    steps: Sequence[CaseStep]
    coming: Next


def past_due(case: Case, as_of: date) -> list[PastDue]:
    """Return what is past due on ``as_of``, oldest first."""
    invoices = Invoice.objects.past_due(as_of=as_of).filter(
        account=case.account_id, currency=case.currency, outstanding__gt=0
    )
    ids = list(invoices.values_list("pk", flat=True))
    steps: dict[int, list[CaseStep]] = {}
    for step in CaseStep.objects.filter(invoice__in=ids).order_by("taken_on", "pk"):
        steps.setdefault(step.invoice_id, []).append(step)
    ladder = policies.current().pk
    found = [
        PastDue(owed, (as_of - owed.due_on).days, steps.get(owed.id, ()), worklist.upcoming(owed, ladder, as_of))
        for chunk in (positions.due(as_of, some=ids) if ids else ())
        for owed in chunk
    ]
    return sorted(found, key=lambda one: (one.owed.due_on, one.owed.number))


def attempts(case: Case) -> list[ChargeAttempt]:
    """Return the tries to charge what the case is about, newest first."""
    tried = ChargeAttempt.objects.filter(
        invoice__account=case.account_id, currency=case.currency, created_on__gte=case.opened_on - BEFORE
    )
    if case.closed_on:
        tried = tried.filter(created_on__lte=case.closed_on)
    return list(tried.select_related("invoice", "method").order_by("-pk"))


def story(case: Case, tried: Sequence[ChargeAttempt]) -> list[Entry]:
    """Return everything that happened, newest first: the case's own events and the tries to charge."""
    told = [Entry(event.at, wording.actor(event.actor), event.text) for event in case.events.all()]
    told += [_try(attempt, at) for attempt in tried if (at := attempt.answered_at or attempt.submitted_at)]
    return sorted(told, key=lambda entry: entry.at, reverse=True)


def _try(attempt: ChargeAttempt, at: datetime) -> Entry:
    amount = formatting.amount_with_currency(attempt.amount, attempt.currency)
    outcome = wording.OUTCOMES[attempt.outcome]
    return Entry(
        at=at,
        actor=wording.actor(attempt.requested_by),
        what=f"Charge of {amount} for {attempt.invoice.number} to {attempt.method}: {outcome}",
        detail=wording.why(attempt.decline_code, attempt.decline_class),
        href=f"/payments/charges/{attempt.pk}/",
    )
