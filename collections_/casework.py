"""The work on cases: what people note, promise, pause and take on, and how a case opens and closes."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from accounts.models import User
from billing.models import Invoice
from collections_ import locks, policies
from collections_.cards import refuse_card_number
from collections_.models import (
    Case,
    CaseEvent,
    CaseState,
    ChargeAttempt,
    Chargeback,
    Hold,
    Payment,
    Promise,
    PromiseState,
)
from core import audit, clock, formatting, money
from core.errors import Conflict, Invalid

ACTOR = "system:collections"
LONGEST_PAUSE = timedelta(days=92)  # a longer one is a decision to take again


def note(case_id: int, text: str, *, actor: str) -> CaseEvent:
    """Add a sentence to the story of a case, open or closed."""
    text = refuse_card_number(text, "text")
    if not text:
        raise Invalid("Write something, or there is nothing to note", field="text")
    with audit.acting(actor):
        return tell(locks.case(case_id), "note", text, actor)


def promise(case_id: int, *, amount: Decimal, due_on: date, as_of: date, actor: str) -> Promise:
    """Record that the customer will pay ``amount`` by ``due_on``; the ladder waits through that day."""
    with audit.acting(actor):
        case = _open_case(case_id)
        _check_pause(due_on, as_of, "due_on")
        if not amount.is_finite() or amount <= 0 or amount != money.round_to_minor_unit(amount, case.currency):
            raise Invalid(f"Promise a positive amount in whole coins of {case.currency}", field="amount")
        if case.promises.filter(state=PromiseState.OPEN).exists():
            raise Conflict("There is an open promise; it must be kept or broken before the next one counts")
        made = Promise.objects.create(
            case=case, amount=amount, due_on=due_on, made_by=actor, made_at=clock.database_now()
        )
        tell(
            case,
            "promise",
            f"{formatting.amount_with_currency(amount, case.currency)} promised by {formatting.day(due_on)}",
            actor,
        )
    return made


def hold(case_id: int, *, reason: str, until: date, as_of: date, actor: str) -> Hold:
    """Pause the ladder through ``until`` for a reason that others can understand."""
    reason = refuse_card_number(reason, "reason")
    if not reason:
        raise Invalid("Say why the case is put on hold", field="reason")
    with audit.acting(actor, reason):
        case = _open_case(case_id)
        _check_pause(until, as_of, "until")
        if case.holds.filter(lifted_at__isnull=True).exists():
            raise Conflict("The case is on hold already; lift that hold first")
        placed = Hold.objects.create(
            case=case, reason=reason, until=until, placed_by=actor, placed_at=clock.database_now()
        )
        tell(case, "hold", f"On hold until {formatting.day(until)}: {reason}", actor)
    return placed


def lift(hold_id: int, *, actor: str) -> Hold:
    """End a hold before its day; a hold that ended already raises Conflict."""
    with audit.acting(actor):
        placed = Hold.objects.filter(pk=hold_id).select_related("case").first()
        case = locks.case(placed.case_id if placed else 0)
        placed = case.holds.get(pk=hold_id)
        if placed.lifted_at is not None:
            raise Conflict("This hold has ended already")
        placed.lifted_by, placed.lifted_at = actor, clock.database_now()
        placed.save(update_fields=["lifted_by", "lifted_at"])
        tell(case, "hold", f"Hold lifted: {placed.reason}", actor)
    return placed


def assign(case_id: int, user: User | None, *, actor: str) -> Case:
    """Give a case to a person, or to nobody."""
    with audit.acting(actor):
        case = _open_case(case_id)
        case.assignee = user
        case.save(update_fields=["assignee"])
        tell(case, "assigned", f"Assigned to {user}" if user else "Assigned to nobody", actor)
    return case


def on_payment(payment: Payment, settled: Sequence[tuple[str, Decimal]]) -> None:
    """Tell the account's open case of money that came in, keep the promise it fulfils, and close what is settled.

    Runs in the transaction that books the payment.
    """
    shares = [f"{formatting.amount_with_currency(share, payment.currency)} for {number}" for number, share in settled]
    received = formatting.amount_with_currency(payment.amount, payment.currency)
    for case in locks.open_cases([payment.account_id]):
        if case.currency != payment.currency:
            continue
        text = f"Payment of {received} received: {', '.join(shares) or 'not applied yet'}"
        tell(case, "payment", text, payment.recorded_by)
        keep_promises(case, as_of=payment.received_on)
        today = max(payment.received_on, payment.recorded_at.date())
        close_settled([case], as_of=today, on=payment.received_on)


def on_chargeback(made: Chargeback, owed_again: Sequence[tuple[str, Decimal]]) -> None:
    """Tell the account's open case, opening one for what is past due again, that a bank took money back."""
    currency = made.payment.currency
    taken = formatting.amount_with_currency(made.amount, currency)
    shares = ", ".join(
        f"{formatting.amount_with_currency(share, currency)} of {number}" for number, share in owed_again
    )
    for case in _case_for(made):
        text = f"Chargeback {made.reference} over {taken} ({made.reason}): {shares or 'nothing'} is owed again"
        tell(case, "chargeback", text, made.recorded_by)


def _case_for(made: Chargeback) -> list[Case]:
    payment = made.payment
    cases = [case for case in locks.open_cases([payment.account_id]) if case.currency == payment.currency]
    owed = Invoice.objects.past_due(as_of=made.taken_on).filter(
        account_id=payment.account_id, currency=payment.currency
    )
    if not cases and owed.filter(outstanding__gt=0).exists():
        cases = [
            Case.objects.create(
                account_id=payment.account_id,
                currency=payment.currency,
                policy_id=policies.current().pk,
                opened_on=made.taken_on,
            )
        ]
        tell(cases[0], "opened", "A bank took money back", ACTOR)
    return cases


def on_other_amount(attempt: ChargeAttempt, invoice: Invoice) -> None:
    """Tell the account's open case that the gateway captured something else than was asked for; in a transaction."""
    captured = formatting.amount_with_currency(attempt.captured or Decimal(0), attempt.captured_currency)
    asked = formatting.amount_with_currency(attempt.amount, attempt.currency)
    invoice.refresh_from_db(fields=["outstanding"])
    owed = formatting.amount_with_currency(invoice.outstanding, invoice.currency)
    for case in locks.open_cases([invoice.account_id]):
        if case.currency == attempt.currency:
            text = f"The gateway captured {captured}, not {asked}, for {invoice.number}: {owed} of it is still owed"
            tell(case, "charge", text, ACTOR)


def keep_promises(case: Case, *, as_of: date) -> None:
    """Decide each open promise of a case: kept once that much came in, broken after its day."""
    for made in case.promises.filter(state=PromiseState.OPEN):
        received = sum(
            Payment.objects.filter(
                account_id=case.account_id,
                currency=case.currency,
                received_on__lte=made.due_on,
                recorded_at__gte=made.made_at,
            ).values_list("amount", flat=True),
            start=Decimal(0),
        )
        if received >= made.amount:
            made.state, word = PromiseState.KEPT, "kept"
        elif as_of > made.due_on:
            made.state, word = PromiseState.BROKEN, "broken"
        else:
            continue
        made.save(update_fields=["state"])
        tell(case, "promise", f"Promise of {formatting.amount_with_currency(made.amount, case.currency)} {word}", ACTOR)


def end_holds(case: Case, *, as_of: date) -> None:
    """End the holds of a case whose last day has passed."""
    for placed in case.holds.filter(lifted_at__isnull=True, until__lt=as_of):
        placed.lifted_by, placed.lifted_at = ACTOR, clock.database_now()
        placed.save(update_fields=["lifted_by", "lifted_at"])
        tell(case, "hold", f"Hold ended on its day: {placed.reason}", ACTOR)


def close_settled(cases: Iterable[Case], *, as_of: date, on: date) -> int:
    """Close, dated ``on``, those open of the locked ``cases`` with nothing past due by ``as_of``; return how many."""
    closed = 0
    for case in cases:
        if case.state != CaseState.OPEN:  # a payment closed it while we waited for its lock
            continue
        owed = Invoice.objects.past_due(as_of=as_of).filter(account_id=case.account_id, currency=case.currency)
        if owed.filter(outstanding__gt=0).exists():
            continue
        case.state, case.closed_on = CaseState.CLOSED, max(on, case.opened_on)
        case.save(update_fields=["state", "closed_on"])
        case.promises.filter(state=PromiseState.OPEN).update(state=PromiseState.KEPT)
        tell(case, "closed", "Nothing is past due any more", ACTOR)
        closed += 1
    return closed


def tell(case: Case, kind: str, text: str, actor: str) -> CaseEvent:
    """Write one line of a case's story, in the running transaction."""
    return CaseEvent.objects.create(case=case, at=clock.database_now(), actor=actor, kind=kind, text=text)


def _open_case(case_id: int) -> Case:
    case = locks.case(case_id)
    if case.state != CaseState.OPEN:
        raise Conflict("This case is closed; nothing is past due any more")
    return case


def _check_pause(until: date, as_of: date, field: str) -> None:
    if not as_of <= until <= as_of + LONGEST_PAUSE:
        latest = formatting.day(as_of + LONGEST_PAUSE)
        raise Invalid(f"Choose a day from today to {latest}", field=field)
