"""What an agent works through: cases with what is past due, how old it is, what pauses them and what comes next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    Count,
    DateField,
    DecimalField,
    IntegerField,
    Max,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce

from billing.models import Invoice
from collections_ import policies, positions
from collections_.dunning import Decision, Policy
from collections_.models import Case, Hold, Promise, PromiseState
from collections_.positions import Owed
from core import formatting

AMOUNT = DecimalField(max_digits=24, decimal_places=4)


@dataclass(frozen=True, slots=True)
class Next:
    """What happens next to a case: ``text`` for people; ``on`` when a day is known."""

    text: str
    on: date | None


def cases(as_of: date) -> QuerySet[Case]:
    """Every case with ``past_due``, ``invoices``, ``oldest``, ``held_until`` and ``promised_until`` by ``as_of``."""
    owed = (
        Invoice.objects.past_due(as_of=as_of)
        .filter(account=OuterRef("account"), currency=OuterRef("currency"), outstanding__gt=0)
        .order_by()
        .values("account")
    )
    holds = Hold.objects.filter(case=OuterRef("pk"), lifted_at=None, until__gte=as_of).order_by().values("case")
    promises = Promise.objects.filter(case=OuterRef("pk"), state=PromiseState.OPEN).order_by().values("case")
    return Case.objects.select_related("account", "assignee").annotate(
        past_due=Coalesce(_one(owed, Sum("outstanding"), AMOUNT), Value(0), output_field=AMOUNT),
        invoices=Coalesce(_one(owed, Count("pk"), IntegerField()), Value(0)),
        oldest=_one(owed, Min("due_on"), DateField()),
        held_until=_one(holds, Max("until"), DateField()),
        promised_until=_one(promises, Max("due_on"), DateField()),
    )


def next_steps(listed: Iterable[Case], as_of: date) -> Mapping[int, Next]:
    """Return what comes next for each of the cases shown, by their ids; settled ones are left out."""
    wanted = {case.pk for case in listed}
    accounts = {case.account_id for case in listed}
    owed = Invoice.objects.past_due(as_of=as_of).filter(account_id__in=accounts, outstanding__gt=0)
    ids = list(owed.values_list("pk", flat=True))
    if not ids:
        return {}
    ladder_id = policies.current().pk
    found: dict[int, list[Next]] = {}
    for chunk in positions.due(as_of, some=ids):
        for one in chunk:
            if one.case_id in wanted:
                found.setdefault(one.case_id, []).append(upcoming(one, ladder_id, as_of))
    return {case_id: min(coming, key=lambda one: one.on or date.max) for case_id, coming in found.items()}


def upcoming(owed: Owed, ladder_id: int, as_of: date) -> Next:
    """Say what the ladder does next about one invoice, and when; or what it waits for."""
    today, decision = as_of, owed.decide(ladder_id, as_of)
    if as_of.isoformat() in owed.taken.values():
        as_of += timedelta(days=1)
        decision = owed.decide(ladder_id, as_of)
    ladder = policies.ladder(owed.policy_id or ladder_id)
    if decision.step is not None:
        day = "today" if as_of == today else f"on {formatting.day(as_of)}"
        return Next(f"{_words(decision.step.name)} {day}", as_of)
    step = _not_yet(ladder, owed, decision)
    if decision.next_on is not None and step:
        return Next(f"{_words(step)} on {formatting.day(decision.next_on)}", decision.next_on)
    return Next(_waiting(owed, decision, as_of), decision.next_on)


def _waiting(owed: Owed, decision: Decision, as_of: date) -> str:
    """Say what the ladder waits for, with days as people read them."""
    if decision.next_on is not None:
        held = owed.hold_until is not None and as_of <= owed.hold_until
        return f"{'On hold' if held else 'Promised'} until {formatting.day(decision.next_on - timedelta(days=1))}"
    return decision.reason[:1].upper() + decision.reason[1:]


def _not_yet(ladder: Policy, owed: Owed, decision: Decision) -> str:
    if decision.reason != "the next step is not due yet":
        return ""
    passed = {*owed.taken, *(step.name for step in decision.skipped)}
    return next((step.name for step in ladder.steps if step.name not in passed), "")


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _one(rows: QuerySet[Any], value: Any, field: Any) -> Subquery:
    return Subquery(rows.annotate(value=value).values("value"), output_field=field)
