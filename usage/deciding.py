"""What becomes of a quarantined event: mended and sent in again, or discarded; once, by name and with a reason."""

from collections.abc import Sequence

from django.db import transaction

from core import clock, databases
from core.errors import Conflict, Invalid, NotFound
from usage import intake, pairing, reading
from usage.models import QuarantinedEvent, QuarantineState
from usage.window import ANY_PAST


def find(identifier: int) -> QuarantinedEvent:
    """Return one quarantined event; raise NotFound."""
    found = QuarantinedEvent.objects.select_related("source").filter(pk=identifier).first()
    if found is None:
        raise NotFound("There is no such event in quarantine.")
    return found


def replay(identifier: int, *, body: str, actor: str, reason: str = "") -> QuarantinedEvent:
    """Send ``body`` (the event, mended or not) in again as its source, however old it is.

    Raises Invalid, saying why, when it is refused again; then nothing changes. The event and its decision are one
    transaction, and of two people at once the second is told what the first decided.
    """
    batch = reading.read(body.encode("utf-8", "surrogatepass"))
    if batch.size != 1:
        raise Invalid("Send one event, as a JSON object.", field="body")
    with transaction.atomic(using=databases.usage()):
        entry = _waiting(identifier)
        answer = intake.accept(entry.source, batch, window=ANY_PAST, atomic=True)
        if not answer.complete:
            refusal = answer.refused[0]
            raise Invalid(f"It would be refused again ({refusal.code}): {refusal.detail}", field="body")
        _decide([entry.pk], QuarantineState.REPLAYED, actor, reason)
    pairing.drain()
    return find(identifier)


def discard(identifiers: Sequence[int], *, actor: str, reason: str) -> int:
    """Decide that waiting events will never be taken in; return how many were waiting. Their bodies stay readable."""
    if not reason.strip():
        raise Invalid("Say why these events are discarded; whoever looks for them will want to know.", field="reason")
    return _decide(identifiers, QuarantineState.DISCARDED, actor, reason)


def _waiting(identifier: int) -> QuarantinedEvent:
    """Lock one event that nobody has decided about; raise Conflict when somebody has."""
    QuarantinedEvent.objects.select_for_update().filter(pk=identifier).first()
    entry = find(identifier)
    if entry.state != QuarantineState.WAITING:
        raise Conflict(f"This event was {entry.state} by {entry.decided_by} already.")
    return entry


def _decide(identifiers: Sequence[int], state: str, actor: str, reason: str) -> int:
    alias = databases.usage()
    with transaction.atomic(using=alias):
        waiting = QuarantinedEvent.objects.filter(pk__in=identifiers, state=QuarantineState.WAITING)
        return waiting.update(
            state=state, decided_at=clock.database_now(alias), decided_by=actor, decision_reason=reason
        )
