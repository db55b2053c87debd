"""Giving money back through the gateway, in three steps that survive being killed between any two of them.

1. The intent and its key are committed, and the amount counts as returned. 2. The gateway is called with no
transaction open. 3. The outcome and its posting are committed together. The gateway refunds once per key, so that no
answer is asked about by sending the same key again.
"""

import logging
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from accounts import permissions
from billing import people
from collections_ import gateways, locks, posting, reconciling
from collections_.cards import refuse_card_number
from collections_.gateways import Refunded
from collections_.models import Payment, Refund, RefundOutcome
from core import audit, bell, clock, formatting, leases, money
from core.errors import Conflict, Invalid, NotFound, Refused
from core.failpoints import failpoint
from core.models import WorkState

log = logging.getLogger(__name__)

TASK: Final = "collections_.tasks.refund"
ACTOR: Final = "system:refunding"
REQUEST: Final = "collections.work"
APPROVE: Final = "credits.approve"
LEASE_SECONDS: Final = 120
WAITS: Final = "outcome in ('created', 'submitting', 'unknown')"


def request(payment_id: int, *, amount: Decimal, reason: str, actor: str) -> Refund:
    """Give back ``amount`` of what a card payment has unapplied, or ask for it when it is above the asker's limit.

    Raises Invalid for more than is left, Conflict for a payment that did not come through a gateway. Not repeatable.
    """
    person, reason = people.require(actor, REQUEST), refuse_card_number(reason, "reason")
    if not reason:
        raise Invalid("Say why; the customer and finance will ask", field="reason")
    with audit.acting(actor, reason):
        payment = _locked(payment_id)
        _check(payment, amount)
        alone = amount <= permissions.refund_limit(person)
        refund = Refund.objects.create(
            payment=payment,
            key=f"refund-{payment.pk}-{uuid.uuid4().hex[:16]}",
            amount=amount,
            reason=reason[:500],
            outcome=RefundOutcome.CREATED if alone else RefundOutcome.REQUESTED,
            state=WorkState.READY if alone else WorkState.DONE,
            requested_by=actor,
            requested_at=clock.database_now(),
        )
        if alone:
            _reserve(payment, amount)
    return refund


def approve(refund_id: int, *, actor: str) -> Refund:
    """Let a requested refund go, as a second person; a repeat by the same person changes nothing."""
    with audit.acting(actor, "approve refund"):
        refund, payment = _to_decide(refund_id, actor)
        if refund.decided_by and people.same(refund.decided_by, actor) and refund.outcome != RefundOutcome.REFUSED:
            return refund
        _refuse_decided(refund, actor)
        _check(payment, refund.amount)
        refund.outcome, refund.state, refund.decided_by = RefundOutcome.CREATED, WorkState.READY, actor
        refund.save(update_fields=["outcome", "state", "decided_by"])
        _reserve(payment, refund.amount)
    return refund


def refuse(refund_id: int, *, actor: str, reason: str) -> Refund:
    """Refuse a requested refund; it stays as a record."""
    with audit.acting(actor, reason):
        refund, _ = _to_decide(refund_id, actor)
        _refuse_decided(refund, actor)
        refund.outcome, refund.decided_by = RefundOutcome.REFUSED, actor
        refund.save(update_fields=["outcome", "decided_by"])
    return refund


def try_again(refund_id: int, *, actor: str) -> Refund:
    """Send a refund that waits for a person again, with its own key: it moves money once, whatever came of it."""
    people.require(actor, REQUEST)
    with audit.acting(actor, "try refund again"):
        changed = Refund.objects.filter(pk=refund_id, outcome=RefundOutcome.MANUAL).update(
            outcome=RefundOutcome.CREATED, state=WorkState.READY, attempts=0, run_after=clock.database_now()
        )
        if not changed:
            raise Conflict("Only a refund that waits for a person can be sent again")
        bell.ring(TASK, cluster="money")
    return Refund.objects.get(pk=refund_id)


def refund_waiting() -> int:
    """Carry every refund that waits; safe to run twice and beside itself. Returns how many it carried."""
    carried = 0
    while claimed := leases.claim(Refund, seconds=LEASE_SECONDS, where=WAITS):
        for refund in claimed:
            try:
                carried += _carry(refund)
            except leases.LeaseLost:  # whoever has it now sends the same key
                continue
            except Exception:
                log.exception("refund %s", refund.key)
    _set_aside_the_dead()
    return carried


def sweep() -> None:
    """Ring for refunds whose doorbell was lost or whose time has come."""
    _set_aside_the_dead()
    bell.ring_for_due(Refund, TASK, cluster="money")


def _carry(refund: Refund) -> bool:
    _submit(refund)
    if connection.in_atomic_block:
        raise RuntimeError("a gateway is never called with a transaction open")
    attempt = refund.payment.attempt
    assert attempt is not None  # noqa: S101  checked before it was asked for
    gateway = gateways.named(attempt.method.gateway)
    failpoint("refund.before_gateway")
    try:
        answer = gateway.refund(
            key=refund.key,
            charge_id=attempt.gateway_charge_id,
            amount=refund.amount,
            currency=refund.payment.currency,
        )
    except gateways.GatewayRefused as error:
        _put(refund, RefundOutcome.MANUAL, str(error), WorkState.DONE, 0)
    except Exception as error:  # whatever it was, the money may have moved
        _ask_later(refund, repr(error))
    else:
        failpoint("refund.after_gateway")
        _record(refund, answer)
    return True


def _submit(refund: Refund) -> None:
    """Commit that the call is about to be made; the first moment is kept."""
    with audit.acting(ACTOR):
        refund.submitted_at = refund.submitted_at or clock.database_now()
        held = Refund.objects.filter(pk=refund.pk, fence=refund.fence, state=WorkState.LEASED)
        if not held.update(outcome=RefundOutcome.SUBMITTING, submitted_at=refund.submitted_at):
            raise leases.LeaseLost(f"{refund} was taken over by another worker")


def _record(refund: Refund, answer: Refunded | gateways.Declined) -> None:
    """Commit the gateway's answer with everything that follows from it."""
    with audit.acting(ACTOR):
        payment = _locked(refund.payment_id)
        refund.answered_at = clock.database_now()
        if isinstance(answer, Refunded):
            refund.outcome, refund.gateway_refund_id = RefundOutcome.SUCCEEDED, answer.refund_id
        else:
            refund.outcome, refund.decline_code = RefundOutcome.DECLINED, answer.code[:40]
            payment.refunded -= refund.amount
            payment.save(update_fields=["refunded"])
        leases.finish(refund)
        refund.save(update_fields=["outcome", "gateway_refund_id", "decline_code", "answered_at"])
        if isinstance(answer, Refunded):
            posting.refunded(refund, on=refund.answered_at.date())
        failpoint("refund.before_commit")


def _ask_later(refund: Refund, error: str) -> None:
    age = clock.database_now() - (refund.submitted_at or clock.database_now())
    wait = reconciling.next_look(age.total_seconds())
    if wait is None:
        _put(refund, RefundOutcome.MANUAL, error, WorkState.DONE, 0)
    else:
        _put(refund, RefundOutcome.UNKNOWN, error, WorkState.READY, wait)


def _put(refund: Refund, outcome: RefundOutcome, error: str, state: WorkState, wait: float) -> None:
    with audit.acting(ACTOR):
        held = Refund.objects.filter(pk=refund.pk, fence=refund.fence, state=WorkState.LEASED)
        if not held.update(
            outcome=outcome,
            state=state,
            attempts=0,  # the worker came back
            lease_until=None,
            last_error=error[:2000],
            run_after=clock.database_now() + timedelta(seconds=wait),
        ):
            raise leases.LeaseLost(f"{refund} was taken over by another worker")


def _set_aside_the_dead() -> None:
    """Hand refunds on which worker after worker died to a person."""
    dead = Refund.objects.filter(state=WorkState.DEAD, outcome__in=["created", "submitting", "unknown"])
    if dead.exists():
        with audit.acting(ACTOR):
            dead.update(outcome=RefundOutcome.MANUAL)


def _locked(payment_id: int) -> Payment:
    found = Payment.objects.filter(pk=payment_id).first()
    if found is None:
        raise NotFound("There is no such payment")
    locks.account(found.account_id)
    return locks.payment(payment_id)


def _to_decide(refund_id: int, actor: str) -> tuple[Refund, Payment]:
    people.require(actor, APPROVE)
    found = Refund.objects.filter(pk=refund_id).first()
    if found is None:
        raise NotFound("There is no such refund")
    payment = _locked(found.payment_id)
    return Refund.objects.select_for_update().get(pk=refund_id), payment


def _refuse_decided(refund: Refund, actor: str) -> None:
    if refund.outcome != RefundOutcome.REQUESTED:
        raise Conflict(f"This refund is {refund.outcome} already")
    if people.same(refund.requested_by, actor):
        raise Refused("You asked for this refund; somebody else of finance must decide on it")


def _check(payment: Payment, amount: Decimal) -> None:
    if payment.attempt_id is None:
        raise Conflict("This payment did not come through a gateway; only a bank can return it")
    if not amount.is_finite() or amount <= 0 or amount != money.round_to_minor_unit(amount, payment.currency):
        raise Invalid(f"A refund is a positive amount in whole coins of {payment.currency}", field="amount")
    left = payment.amount - payment.applied - payment.refunded
    if amount > left:
        said = formatting.amount_with_currency(left, payment.currency)
        raise Invalid(f"Only {said} of this payment lie unapplied; what settled an invoice stays there", field="amount")


def _reserve(payment: Payment, amount: Decimal) -> None:
    payment.refunded += amount
    payment.save(update_fields=["refunded"])
    bell.ring(TASK, cluster="money")
