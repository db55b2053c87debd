"""One day of collecting: charge what is due, open cases for what is past due, take the next rung, close what is paid.

Each part looks at the books again and takes a rung once, so a day may be run twice, beside itself, or late, and
ends the same. The daily tick and ``manage.py run_collections`` both come here.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import date

from django.db import connection
from django.db.models import Exists, F, OuterRef

from billing.models import Invoice
from collections_ import casework, charging, climbing, locks, paying, policies, positions, reconciling
from collections_.dunning import Decision, StepKind
from collections_.models import AttemptOutcome, Case, CaseState, ChargeAttempt, Hold, Payment, Promise, PromiseState
from collections_.positions import Owed
from collections_.summary import Summary, summarise
from core import audit, bell, sql
from core.errors import Conflict

ACTOR = casework.ACTOR
OTHERS_SECONDS = 60  # how long to wait for charges that other workers carry
Say = Callable[[str], None]


def run(as_of: date, *, drive: bool = True, say: Say = lambda text: None) -> Summary:
    """Do the collecting of one day and return what that day came to, as the books have it now.

    ``drive`` also carries the charges through the gateway, in this process, before the day goes on; without it
    workers are rung, and a charge declined later is followed up on the next day.
    """
    ladder = policies.current().pk
    say("ending promises and holds")
    _end_pauses(as_of)
    _apply_rests(as_of)
    say("charging what is due")
    charge_due(as_of)
    if drive:
        charging.charge_waiting()
        _await_others(as_of)
    say("opening cases")
    _open_cases(as_of, ladder)
    say("taking steps")
    for chunk in positions.due(as_of):
        climbing.take_steps([owed for owed in chunk if owed.case_id and owed.due_on < as_of], ladder, as_of)
    _close_cases(as_of)
    say("")
    return summarise(as_of)


def charge_due(as_of: date, *, some: Sequence[int] | None = None) -> int:
    """Commit the intent to charge every invoice whose ladder asks for it on ``as_of``, and ring; return how many.

    ``some`` narrows to those invoices.
    """
    ladder, intended = policies.current().pk, 0
    for chunk in positions.due(as_of, some=some):
        decided = [(owed, owed.decide(ladder, as_of)) for owed in chunk]
        intended += _intend([(o, d) for o, d in decided if d.step and d.step.kind is StepKind.CHARGE], as_of)
    return intended


def charge_issued(invoice_ids: Sequence[int]) -> int:
    """Charge, of invoices just issued, those due on the day of issue; a repeat finds them charged."""
    days = Invoice.objects.filter(pk__in=invoice_ids, issued_on__isnull=False).values_list("issued_on", flat=True)
    return sum(charge_due(day, some=invoice_ids) for day in sorted({day for day in days if day}))


def _intend(decided: Sequence[tuple[Owed, Decision]], as_of: date) -> int:
    if not decided:
        return 0
    with audit.acting(ACTOR), connection.cursor() as cursor:
        cursor.execute(
            sql.load("collections_", "intend_charges"),
            {
                "invoices": [owed.id for owed, _ in decided],
                "methods": [owed.method_id for owed, _ in decided],
                "steps": [decision.step.name if decision.step else "" for _, decision in decided],
                "as_of": as_of,
                "actor": ACTOR,
            },
        )
        charged = len(cursor.fetchall())
        if charged:
            bell.ring(charging.TASK, cluster="money")
    return charged


def _end_pauses(as_of: date) -> None:
    """Decide promises whose day passed or whose money came, and end holds after their last day."""
    promised = Promise.objects.filter(case=OuterRef("pk"), state=PromiseState.OPEN)
    held = Hold.objects.filter(case=OuterRef("pk"), lifted_at__isnull=True, until__lt=as_of)
    paused = Case.objects.filter(Exists(promised) | Exists(held), state=CaseState.OPEN).values_list("pk", flat=True)
    for case_id in list(paused):
        with audit.acting(ACTOR):
            case = locks.case(case_id)
            casework.keep_promises(case, as_of=as_of)
            casework.end_holds(case, as_of=as_of)


def _apply_rests(as_of: date) -> None:
    """Settle what is due, or was written off, with money that lies unapplied, before a card is charged for it."""
    owed = Invoice.objects.filter(status__in=paying.OWED, outstanding__gt=0, due_on__lte=as_of).filter(
        account_id=OuterRef("account_id"), currency=OuterRef("currency")
    )
    lying = Payment.objects.filter(Exists(owed), amount__gt=F("applied") + F("refunded"), received_on__lte=as_of)
    for payment_id in list(lying.order_by("received_on", "pk").values_list("pk", flat=True)):
        with contextlib.suppress(Conflict):  # somebody applied it this moment
            paying.apply_rest(payment_id, on=as_of, actor=ACTOR)


def _await_others(as_of: date) -> None:
    """Wait for charges of the day that other workers hold; a worker that died is not waited for long."""
    deadline = time.monotonic() + OTHERS_SECONDS
    under_way = ChargeAttempt.objects.filter(
        created_on=as_of, outcome__in=[AttemptOutcome.CREATED, AttemptOutcome.SUBMITTING]
    )
    while under_way.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
        charging.charge_waiting()
        reconciling.reconcile_waiting()


def _open_cases(as_of: date, policy_id: int) -> int:
    with audit.acting(ACTOR), connection.cursor() as cursor:
        cursor.execute(sql.load("collections_", "open_cases"), {"as_of": as_of, "policy": policy_id, "actor": ACTOR})
        return len(cursor.fetchall())


def _close_cases(as_of: date) -> None:
    owed = Invoice.objects.past_due(as_of=as_of).filter(
        account_id=OuterRef("account_id"), currency=OuterRef("currency"), outstanding__gt=0
    )
    settled = Case.objects.filter(~Exists(owed), state=CaseState.OPEN).values_list("pk", flat=True)
    for case_id in list(settled):
        with audit.acting(ACTOR):
            casework.close_settled([locks.case(case_id)], as_of=as_of, on=as_of)
