"""Finding out what became of a charge that was not answered: ask with the same key, and only then send it again."""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Final

from billing.models import PaymentStatus
from collections_ import charging, gateways, locks
from collections_.gateways import Charged, Declined, Unseen
from collections_.models import AttemptOutcome, ChargeAttempt
from core import audit, bell, clock, leases, money
from core.errors import Conflict, Invalid, NotFound
from core.models import WorkState

log = logging.getLogger(__name__)

TASK = "collections_.tasks.reconcile"
# Seconds after the charge was sent at which to look; then hourly, until a person must.
LOOKS: Final = (30, 90, 390, 1290)
HOURLY: Final = 3600
GIVE_UP: Final = timedelta(hours=72)
UNCLEAR: Final = frozenset({AttemptOutcome.SUBMITTING, AttemptOutcome.UNKNOWN})
_WHERE: Final = "outcome in ('submitting', 'unknown')"


def reconcile_waiting() -> int:
    """Settle every charge whose worker died or whose answer was lost; safe to run twice and beside itself."""
    looked = 0
    while batch := charging.claim(_WHERE):
        for attempt in batch:
            _settle(attempt)
            looked += 1
    _give_up_the_dead()
    return looked


def sweep() -> None:
    """Ring for charges and look-ups whose doorbell was lost or whose time has come; give up on the dead."""
    _give_up_the_dead()
    bell.ring_for_due(ChargeAttempt, charging.TASK, cluster="money")
    if ChargeAttempt.objects.filter(outcome__in=UNCLEAR).exists():
        bell.ring_for_due(ChargeAttempt, TASK, cluster="money")


def ask_now(attempt_id: int, *, actor: str) -> ChargeAttempt:
    """Ask the gateway about one unclear charge at once, because a person wants to know; return it as it then stands.

    A charge that waits for a person is never sent again from here: see ``resolve``. Raises Conflict when the
    outcome is known, or a worker is asking at this moment.
    """
    attempt = _take(attempt_id, UNCLEAR | {AttemptOutcome.MANUAL})
    if attempt.outcome == AttemptOutcome.MANUAL:
        _look(attempt, resend=False, resolution=f"{actor} asked the gateway", actor=actor)
    else:
        _look(attempt, resend=True, actor=charging.ACTOR)
    attempt.refresh_from_db()
    return attempt


def resolve(
    attempt_id: int, *, charge_id: str, note: str, actor: str, captured: Decimal | None = None
) -> ChargeAttempt:
    """Settle a charge that waits for a person, as they found it: its ``charge_id``, or blank when none was made.

    What the gateway captured is booked, in its amount and currency, whatever was asked for: less leaves the rest
    owed, more stays unapplied. ``captured`` is what the person saw, in the attempt's currency; it counts only while
    the gateway does not answer. Raises Invalid without a note, or for a charge that the gateway does not know, and
    Conflict unless the attempt waits for a person, or when another attempt has that charge.
    """
    if not note.strip():
        raise Invalid("Say where you saw this, so that others can follow it", field="note")
    charge_id = charge_id.strip()[:100]
    if charge_id:
        _refuse_charge_of_another(attempt_id, charge_id)
    found = _as_found(attempt_id, charge_id, captured) if charge_id else Declined("not_charged")
    attempt = _take(attempt_id, frozenset({AttemptOutcome.MANUAL}))
    charging.book(attempt, found, resolution=f"{actor}: {note.strip()}"[:500], actor=actor)
    attempt.refresh_from_db()
    return attempt


def _as_found(attempt_id: int, charge_id: str, seen: Decimal | None) -> Charged:
    """Return the charge as the gateway has it; as the person saw it when the gateway does not answer."""
    attempt = ChargeAttempt.objects.select_related("method").filter(pk=attempt_id).first()
    if attempt is None:
        raise NotFound("There is no such charge attempt")
    try:
        found = gateways.named(attempt.method.gateway).find(charge_id)
    except gateways.NoAnswer as error:
        if seen is None:
            raise Invalid(f"{error}; say what was captured as you see it there", field="captured") from error
        if seen <= 0 or seen != money.round_to_minor_unit(seen, attempt.currency):
            raise Invalid(
                f"A charge is a positive amount in whole coins of {attempt.currency}", field="captured"
            ) from error
        return Charged(charge_id, seen, attempt.currency)
    if isinstance(found, Unseen):
        raise Invalid(f"The gateway knows no charge {charge_id}; copy its name from there", field="charge_id")
    if seen is not None and (seen, attempt.currency) != (found.amount, found.currency):
        said = f"{money.plain(found.amount)} {found.currency}"
        raise Invalid(
            f"The gateway says that {charge_id} captured {said}; leave this blank or say so", field="captured"
        )
    return found


def _refuse_charge_of_another(attempt_id: int, charge_id: str) -> None:
    other = ChargeAttempt.objects.filter(gateway_charge_id=charge_id).exclude(pk=attempt_id)
    if found := other.select_related("invoice").first():
        raise Conflict(f"Charge {charge_id} paid for invoice {found.invoice.number}; look for this one's own")


def next_look(elapsed: float) -> float | None:
    """Return in how many seconds to look again at a charge sent ``elapsed`` seconds ago; None: a person must."""
    if elapsed >= GIVE_UP.total_seconds():
        return None
    return next((moment - elapsed for moment in LOOKS if moment > elapsed), HOURLY)


def _settle(attempt: ChargeAttempt) -> None:
    """Settle one claimed attempt, or leave it for the next look."""
    try:
        if attempt.outcome == AttemptOutcome.SUBMITTING:  # its worker died between two commits
            charging.mark_unknown(attempt)
        _look(attempt, resend=True, actor=charging.ACTOR)
    except leases.LeaseLost:  # somebody else asks now, with the same key
        return
    except Exception:  # the others go on; the lease of this one ends, and after five such ends a person is asked
        log.exception("looking for charge %s", attempt.key)


def _look(attempt: ChargeAttempt, *, resend: bool, actor: str, resolution: str = "") -> None:
    gateway = gateways.named(attempt.method.gateway)
    try:
        answer = gateway.lookup(attempt.key)
    except Exception as error:  # an unreadable answer is no answer
        return _later(attempt, charging.in_words(error))
    if not isinstance(answer, Unseen):
        return charging.record(attempt, answer, resolution=resolution, actor=actor)
    if not resend or _age(attempt) >= gateway.remembers:
        return charging.set_aside(attempt, "the gateway knows nothing of this charge")
    return charging.send(attempt)


def _later(attempt: ChargeAttempt, error: str) -> None:
    wait = next_look(_age(attempt).total_seconds())
    if wait is None or attempt.outcome == AttemptOutcome.MANUAL:
        charging.set_aside(attempt, error)
    else:
        charging.no_answer(attempt, error, wait=wait)


def _age(attempt: ChargeAttempt) -> timedelta:
    return clock.database_now() - (attempt.submitted_at or clock.database_now())


def _take(attempt_id: int, outcomes: frozenset[AttemptOutcome]) -> ChargeAttempt:
    """Lease one attempt for a person who waits for it."""
    with audit.acting("system:reconciling"):
        attempt, now = locks.attempt(attempt_id), clock.database_now()
        if attempt.outcome not in outcomes:
            raise Conflict(f"This charge is {attempt.outcome}; there is nothing to find out")
        if attempt.state == WorkState.LEASED and attempt.lease_until and attempt.lease_until > now:
            raise Conflict("A worker is asking the gateway about this charge; look again in a minute")
        attempt.state, attempt.fence = WorkState.LEASED, attempt.fence + 1
        attempt.lease_until = now + timedelta(seconds=charging.LEASE_SECONDS)
        if attempt.outcome == AttemptOutcome.SUBMITTING:
            attempt.outcome = AttemptOutcome.UNKNOWN
        attempt.save(update_fields=["state", "fence", "lease_until", "outcome"])
    return attempt


def _give_up_the_dead() -> None:
    """Hand charges on which worker after worker died to a person."""
    dead = ChargeAttempt.objects.filter(state=WorkState.DEAD, outcome__in=[AttemptOutcome.CREATED, *UNCLEAR])
    for attempt_id in list(dead.values_list("pk", flat=True)):
        with audit.acting(charging.ACTOR):
            attempt = locks.attempt(attempt_id)
            if attempt.state == WorkState.DEAD and attempt.outcome in charging.UNANSWERED:
                ChargeAttempt.objects.filter(pk=attempt_id).update(outcome=AttemptOutcome.MANUAL)
                charging.tell_invoice(attempt.invoice_id, PaymentStatus.UNKNOWN)
