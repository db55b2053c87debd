"""What gateways tell us of their own accord: stored once as it came, then handled by asking the gateway again.

An event is only a hint. What it is about is read afresh from the gateway, so that one that comes twice, late or out
of order can never undo anything.
"""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from collections_ import charging, charging_back, gateways, reconciling
from collections_.gateways import Disputed, Event
from collections_.models import ChargeAttempt, GatewayEvent, Payment
from core import bell, clock, leases
from core.errors import Conflict, NotFound
from core.models import WorkState

log = logging.getLogger(__name__)

TASK: Final = "collections_.tasks.receive"
ACTOR: Final = "system:gateway"
LEASE_SECONDS: Final = 120
RETRY_SECONDS: Final = 60  # what an event is about may be under way with us still
KIND_CHARGE: Final = "charge.settled"
KIND_DISPUTE: Final = "dispute.opened"


def receive(gateway: str, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
    """Store one event of ``gateway`` as it came, and ring; a repeat of its id changes nothing.

    Raises NotFound for an unknown gateway, Invalid for a signature that is not the gateway's and for a body that cannot
    be read.
    """
    said = gateways.named(gateway).read_event(body, headers)
    stored, new = GatewayEvent.objects.get_or_create(
        gateway=gateway,
        event_id=said.id,
        defaults={"kind": said.kind[:60], "body": body.decode(), "received_at": clock.database_now()},
    )
    if new:
        bell.ring(TASK, cluster="money")
    return stored


def handle_waiting() -> int:
    """Handle every event that waits; safe to run twice and beside itself. Returns how many it looked at."""
    looked = 0
    while claimed := leases.claim(GatewayEvent, seconds=LEASE_SECONDS):
        for event in claimed:
            _carry(event)
            looked += 1
    return looked


def sweep() -> None:
    """Ring for events whose bell was lost or whose time has come."""
    bell.ring_for_due(GatewayEvent, TASK, cluster="money")


def replay(event_id: int) -> GatewayEvent:
    """Handle one event again, as if it had just come; what it is about is asked afresh."""
    changed = GatewayEvent.objects.filter(pk=event_id).exclude(state=WorkState.LEASED)
    if not changed.update(state=WorkState.READY, attempts=0, last_error="", run_after=clock.database_now()):
        raise NotFound("There is no such event, or a worker has it at this moment")
    bell.ring(TASK, cluster="money")
    return GatewayEvent.objects.get(pk=event_id)


def _carry(event: GatewayEvent) -> None:
    try:
        outcome = _handle(event, gateways.named(event.gateway).parse_event(event.body.encode()))
        leases.finish(event)
        GatewayEvent.objects.filter(pk=event.pk).update(outcome=outcome[:300])
    except leases.LeaseLost:
        return
    except Exception as error:  # the others go on
        if not isinstance(error, Conflict | gateways.NoAnswer):
            log.exception("event %s", event)
        leases.give_back(event, leases.reason(error), delay_seconds=RETRY_SECONDS)


def _handle(event: GatewayEvent, said: Event) -> str:
    if said.kind == KIND_CHARGE:
        return _look_at_charge(said.about)
    if said.kind == KIND_DISPUTE:
        return _take_back(event.gateway, said.about)
    return f"nothing to do for {said.kind}"


def _look_at_charge(key: str) -> str:
    attempt = ChargeAttempt.objects.filter(key=key).first()
    if attempt is None:
        return "no charge of ours"
    if attempt.outcome not in charging.UNANSWERED or attempt.outcome == "created":
        return f"known already: {attempt.outcome}"
    return f"asked again: {reconciling.ask_now(attempt.pk, actor=ACTOR).outcome}"


def _take_back(gateway: str, reference: str) -> str:
    dispute = gateways.named(gateway).dispute(reference)
    if not isinstance(dispute, Disputed):
        return "the gateway knows of no such dispute"
    payment = Payment.objects.filter(attempt__gateway_charge_id=dispute.charge_id).first()
    if payment is None:
        if ChargeAttempt.objects.filter(outcome__in=reconciling.UNCLEAR).exists():
            raise Conflict("No payment has this charge yet; one that was not answered may be it")
        return "no payment of ours has this charge"
    if dispute.currency != payment.currency:
        raise ValueError(f"dispute {reference} is in {dispute.currency}, its payment in {payment.currency}")
    charging_back.record(
        payment.pk,
        reference=reference,
        amount=Decimal(dispute.amount),
        reason=dispute.reason,
        taken_on=max(clock.database_now().date(), payment.received_on),
        actor=ACTOR,
    )
    return "recorded as a chargeback"
