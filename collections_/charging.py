"""Charging a card in three steps that survive being killed between any two of them.

1. The intent and its key are committed. 2. The gateway is called with no transaction open. 3. The outcome, the
payment, its postings and the settled invoice are committed together. No answer is *unknown*: nothing is tried
again until ``collections_.reconciling`` has asked the gateway with the same key.
"""

import logging
import time
import uuid
from datetime import date, timedelta

from django.db import IntegrityError, connection
from django.db.models import prefetch_related_objects

from billing import settling
from billing.models import Invoice, InvoiceStatus, PaymentStatus
from collections_ import declines, gateways, locks, paying
from collections_.declines import DeclineClass
from collections_.dunning import MOST_CHARGES
from collections_.gateways import Charged, Declined
from collections_.models import AttemptOutcome, ChargeAttempt, Chargeback, PaymentMethod
from core import audit, bell, clock, leases, money
from core.errors import Conflict, Refused
from core.failpoints import failpoint
from core.models import WorkState

log = logging.getLogger(__name__)

TASK = "collections_.tasks.charge"
ACTOR = "system:charging"
LEASE_SECONDS = 150  # longer than a batch of calls that all time out
BATCH = 5
FIRST_LOOK_SECONDS = 30  # after a charge without an answer
UNANSWERED = (AttemptOutcome.CREATED, AttemptOutcome.SUBMITTING, AttemptOutcome.UNKNOWN, AttemptOutcome.MANUAL)


def new_key(number: str, attempt: int) -> str:
    """Return the key under which the gateway will know one attempt for ever."""
    return f"{number}-{attempt}-{uuid.uuid4().hex[:16]}"


def request(invoice_id: int, *, actor: str, as_of: date) -> ChargeAttempt:
    """Commit the intent to charge what is outstanding on one invoice to its account's card, and ring.

    Raises Conflict when there is nothing to charge, no card, or a charge that was not answered yet, and Refused
    when the card's network forbids another try.
    """
    with audit.acting(actor):
        attempt = _intend(invoice_id, actor, as_of)
        bell.ring(TASK, cluster="money")
    return attempt


def pay_now(invoice_id: int, *, actor: str, as_of: date) -> ChargeAttempt:
    """Charge one invoice while somebody waits, and return the attempt with its outcome.

    Raises as ``request`` does. A charge without an answer comes back as ``unknown``; should this process die, a
    worker finishes what it began.
    """
    with audit.acting(actor):
        attempt = _intend(invoice_id, actor, as_of)
    for claimed in claim("id = %s and outcome = 'created'", attempt.pk):
        charge(claimed)
    attempt.refresh_from_db()
    return attempt


def charge_waiting(*, seconds: float | None = None) -> int:
    """Charge every attempt that waits; safe to run twice and beside itself. Returns how many it carried.

    After ``seconds`` it stops between two charges' batches and rings for the rest.
    """
    carried, ends = 0, None if seconds is None else time.monotonic() + seconds
    while batch := claim("outcome = 'created'"):
        for attempt in batch:
            carried += charge(attempt)
        if ends is not None and time.monotonic() > ends:
            bell.ring(TASK, cluster="money")
            break
    return carried


def claim(where: str, *params: object) -> list[ChargeAttempt]:
    """Lease a few waiting attempts, each with its invoice and method at hand."""
    claimed = leases.claim(ChargeAttempt, limit=BATCH, seconds=LEASE_SECONDS, where=where, params=params)
    prefetch_related_objects(claimed, "invoice", "method")
    return claimed


def charge(attempt: ChargeAttempt) -> bool:
    """Carry one claimed attempt through the gateway; return False when it was not sent, or not by us to its end.

    Whatever fails, the others of the batch go on: the lease of this one ends, and then its key is asked about.
    """
    try:
        if not _submit(attempt):
            return False
        send(attempt)
    except leases.LeaseLost:  # it took us too long: whoever has it now asks with the same key
        return False
    except Exception:
        log.exception("charge %s", attempt.key)
        return False
    return True


def send(attempt: ChargeAttempt) -> None:
    """Call the gateway for an attempt that is committed as under way, and record what it says.

    Safe to repeat: the key makes a second call of the gateway a question, not a charge.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a gateway is never called with a transaction open")
    gateway = gateways.named(attempt.method.gateway)
    failpoint("charge.before_gateway")
    try:
        answer = gateway.charge(
            key=attempt.key,
            amount=attempt.amount,
            currency=attempt.currency,
            token=attempt.method.token,
            description=f"Invoice {attempt.invoice.number}",
        )
    except gateways.GatewayRefused as error:
        set_aside(attempt, str(error))
    except Exception as error:  # whatever it was, the money may have moved
        no_answer(attempt, in_words(error), wait=FIRST_LOOK_SECONDS)
    else:
        failpoint("charge.after_gateway")
        record(attempt, answer)


def record(attempt: ChargeAttempt, answer: Charged | Declined, *, resolution: str = "", actor: str = ACTOR) -> None:
    """Commit the gateway's answer with everything that follows from it; a lost lease raises LeaseLost.

    Another amount than was asked for waits for a person.
    """
    if isinstance(answer, Charged) and (answer.amount, answer.currency) != (attempt.amount, attempt.currency):
        return set_aside(attempt, f"the gateway captured {money.plain(answer.amount)} {answer.currency}")
    return book(attempt, answer, resolution=resolution, actor=actor)


def book(attempt: ChargeAttempt, answer: Charged | Declined, *, resolution: str, actor: str) -> None:
    """Commit an answer as it is: what was captured is a payment of just that, whatever was asked for."""
    with audit.acting(actor):
        invoice = locks.invoice(attempt.invoice_id)
        _answered(attempt, answer, resolution)
        if isinstance(answer, Charged):
            paying.captured(attempt, invoice)
            tell_invoice(invoice.pk, PaymentStatus.NONE)  # of one that is still open: less was captured
        elif invoice.status == InvoiceStatus.OPEN:
            settling.set_payment_status(invoice.pk, PaymentStatus.DECLINED)
        failpoint("charge.before_commit")


def no_answer(attempt: ChargeAttempt, error: str, *, wait: float) -> None:
    """Commit that nobody knows what happened; the reconciler looks again after ``wait`` seconds."""
    _return(attempt, AttemptOutcome.UNKNOWN, error, WorkState.READY, wait)


def _answered(attempt: ChargeAttempt, answer: Charged | Declined, resolution: str) -> None:
    if isinstance(answer, Charged):
        attempt.outcome, attempt.gateway_charge_id = AttemptOutcome.SUCCEEDED, answer.charge_id
        attempt.captured, attempt.captured_currency = answer.amount, answer.currency
    else:
        attempt.outcome, attempt.decline_code = AttemptOutcome.DECLINED, answer.code[:40]
        attempt.decline_class = declines.classify(answer.code)
    attempt.answered_at, attempt.resolution = clock.database_now(), resolution
    leases.finish(attempt)
    attempt.save(
        update_fields=["outcome", "answered_at", "resolution", "gateway_charge_id", "captured", "captured_currency",
                       "decline_code", "decline_class"]
    )  # fmt: skip


def in_words(error: Exception) -> str:
    """Say what went wrong at the gateway: its adapter's sentence, or what kind of error nobody expected."""
    return str(error) if isinstance(error, gateways.NoAnswer) else repr(error)


def mark_unknown(attempt: ChargeAttempt) -> None:
    """Commit that the worker which made the call died; whoever holds the lease goes on asking."""
    with audit.acting(ACTOR):
        held = ChargeAttempt.objects.filter(pk=attempt.pk, fence=attempt.fence, outcome=AttemptOutcome.SUBMITTING)
        if not held.update(outcome=AttemptOutcome.UNKNOWN):
            raise leases.LeaseLost(f"{attempt} was taken over by another worker")
        tell_invoice(attempt.invoice_id, PaymentStatus.UNKNOWN)
    attempt.outcome = AttemptOutcome.UNKNOWN


def set_aside(attempt: ChargeAttempt, error: str) -> None:
    """Commit that only a person can tell what happened."""
    _return(attempt, AttemptOutcome.MANUAL, error, WorkState.DEAD, 0)


def tell_invoice(invoice_id: int, status: PaymentStatus) -> None:
    """Note on an open invoice how its charge stands; one that was paid in another way meanwhile stays paid."""
    if locks.invoice(invoice_id).status == InvoiceStatus.OPEN:
        settling.set_payment_status(invoice_id, status)


def _return(attempt: ChargeAttempt, outcome: AttemptOutcome, error: str, state: WorkState, wait: float) -> None:
    with audit.acting(ACTOR):
        changed = ChargeAttempt.objects.filter(
            pk=attempt.pk, fence=attempt.fence, state=WorkState.LEASED, outcome__in=UNANSWERED
        ).update(
            outcome=outcome,
            state=state,
            attempts=0,  # the worker came back: only those that died are counted against the attempt
            lease_until=None,
            last_error=error[:2000],
            run_after=clock.database_now() + timedelta(seconds=wait),
        )
        if not changed:
            raise leases.LeaseLost(f"{attempt} was taken over by another worker")
        tell_invoice(attempt.invoice_id, PaymentStatus.UNKNOWN)


def _submit(attempt: ChargeAttempt) -> bool:
    """Commit that the call is about to be made, or that it need not be; what is due is read again first."""
    with audit.acting(ACTOR):
        invoice = locks.invoice(attempt.invoice_id)
        still_due = invoice.status == InvoiceStatus.OPEN and invoice.outstanding == attempt.amount
        if not still_due:
            leases.finish(attempt)
            ChargeAttempt.objects.filter(pk=attempt.pk).update(outcome=AttemptOutcome.CANCELLED)
            return False
        attempt.outcome, attempt.submitted_at = AttemptOutcome.SUBMITTING, clock.database_now()
        changed = ChargeAttempt.objects.filter(
            pk=attempt.pk, fence=attempt.fence, state=WorkState.LEASED, outcome=AttemptOutcome.CREATED
        ).update(outcome=attempt.outcome, submitted_at=attempt.submitted_at)
        if not changed:
            raise leases.LeaseLost(f"{attempt} was taken over by another worker")
        settling.set_payment_status(invoice.pk, PaymentStatus.PROCESSING)
    return True


def _intend(invoice_id: int, actor: str, as_of: date) -> ChargeAttempt:
    invoice = locks.invoice(invoice_id)
    attempt = ChargeAttempt(
        invoice=invoice,
        method=_usable_method(invoice, as_of),
        number=invoice.charge_attempts.count() + 1,
        amount=invoice.outstanding,
        currency=invoice.currency,
        requested_by=actor,
        created_on=as_of,
    )
    attempt.key = new_key(str(invoice.number), attempt.number)
    try:
        attempt.save(force_insert=True)
    except IntegrityError as error:  # the daily run, which takes no lock, was a moment faster
        raise Conflict(f"A charge of invoice {invoice.number} was begun this moment; wait for its outcome") from error
    return attempt


def _usable_method(invoice: Invoice, as_of: date) -> PaymentMethod:
    """Return the card to charge, or say why there must be no charge."""
    if invoice.status != InvoiceStatus.OPEN or invoice.outstanding <= 0:
        raise Conflict(f"Nothing is outstanding on invoice {invoice.number}")
    if invoice.charge_attempts.filter(outcome__in=UNANSWERED).exists():
        raise Conflict(f"A charge of invoice {invoice.number} has not been answered yet; wait for its outcome")
    method = PaymentMethod.objects.filter(account_id=invoice.account_id, is_default=True).first()
    if method is None:
        raise Conflict("This account has no payment method; ask the customer to add a card")
    if method.expires < as_of:
        raise Conflict(f"{method} expired on {method.expires}; ask the customer for another card")
    _check_network_rules(invoice, method, as_of)
    return method


def _check_network_rules(invoice: Invoice, method: PaymentMethod, as_of: date) -> None:
    if ChargeAttempt.objects.filter(method=method, decline_class=DeclineClass.NEVER_RETRY).exists():
        raise Refused(f"The bank said never to try {method} again; ask the customer for another card")
    if Chargeback.objects.filter(payment__attempt__method=method).exists():
        raise Refused(f"A bank took back a payment by {method}; ask the customer for another card, or a transfer")
    tries = invoice.charge_attempts.filter(method=method).exclude(outcome=AttemptOutcome.CANCELLED)
    if tries.filter(created_on__gt=as_of - timedelta(days=30)).count() >= MOST_CHARGES:
        raise Refused(f"{method} was tried {MOST_CHARGES} times in 30 days, which is as often as the networks allow")
