"""What becomes of a quarantined event: mended and sent in again, or discarded; once, by name and with a reason."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import transaction

from core import clock, databases
from core.errors import Conflict, Invalid, NotFound, VaultError
from usage import cloudevents, intake, pairing, reading
from usage.models import QuarantinedEvent, QuarantineState
from usage.reported import Batch
from usage.window import ANY_PAST

ACCEPTED: Final = "accepted"
DUPLICATE: Final = "duplicate"
MENDABLE: Final = ("type", "time", "resource", "product", "app", "account", "meter", "component", "quantity")
MOST: Final = 1_000  # decided at once


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
    _replay(identifier, body, actor, reason)
    pairing.drain()
    return find(identifier)


class Outcome(NamedTuple):
    """What becomes, or would become, of one refused event: taken in, or refused again with a code and a sentence."""

    entry: QuarantinedEvent
    code: str
    detail: str

    @property
    def accepted(self) -> bool:
        return self.code in (ACCEPTED, DUPLICATE)


def try_many(identifiers: Sequence[int], *, field: str = "", value: str = "") -> list[Outcome]:
    """Return what would become of waiting events that are sent in again, with one field set; nothing is stored."""
    seen: dict[int, dict[str, bytes]] = {}
    return [_try(entry, field, value, seen) for entry in _all_waiting(identifiers)]


def replay_many(
    identifiers: Sequence[int], *, field: str = "", value: str = "", actor: str, reason: str
) -> list[Outcome]:
    """Send waiting events in again, with one field set; each by itself, and what is refused again goes on waiting."""
    if not reason.strip():
        raise Invalid("Say what was mended, and why; it stays with each event.", field="reason")
    outcomes = []
    for entry in _all_waiting(identifiers):
        try:
            _replay(entry.pk, mended(entry.body, field, value), actor, reason)
            outcomes.append(Outcome(entry, ACCEPTED, "Taken in."))
        except VaultError as error:
            outcomes.append(Outcome(entry, "refused", str(error)))
    pairing.drain()
    return outcomes


def mended(body: str, field: str, value: str) -> str:
    """Return the event with one field set (empty value: taken away); raise Invalid when it is not JSON."""
    if not field:
        return body
    if field not in MENDABLE:
        raise Invalid(f"One of {', '.join(MENDABLE)} can be set for many.", field="field")
    try:
        event = json.loads(body, parse_float=str, parse_int=str, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise Invalid("It is not JSON; mend it by itself.", field="body")
    place = (
        event.get("data") if cloudevents.SPECVERSION in event and field not in ("type", "time", "resource") else event
    )
    name = "subject" if cloudevents.SPECVERSION in event and field == "resource" else field
    if not isinstance(place, dict):
        place = event["data"] = {}
    place.pop(name, None)
    if value:
        place[name] = value
    return json.dumps(event, ensure_ascii=False)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a key that came twice: nobody may choose which was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key came twice")
    return found


def _try(entry: QuarantinedEvent, field: str, value: str, seen: dict[int, dict[str, bytes]]) -> Outcome:
    try:
        batch = _one(mended(entry.body, field, value))
    except VaultError as error:
        return Outcome(entry, error.code, str(error))
    answer = intake.preview(entry.source, batch, window=ANY_PAST, seen=seen.setdefault(entry.source_id, {}))
    if answer.complete:
        return Outcome(entry, DUPLICATE, "It is here already.") if answer.duplicate else Outcome(entry, ACCEPTED, "")
    return Outcome(entry, answer.refused[0].code, answer.refused[0].detail)


def _replay(identifier: int, body: str, actor: str, reason: str) -> None:
    batch = _one(body)
    with transaction.atomic(using=databases.usage()):
        entry = _waiting(identifier)
        answer = intake.accept(entry.source, batch, window=ANY_PAST, atomic=True)
        if not answer.complete:
            refusal = answer.refused[0]
            raise Invalid(f"It would be refused again ({refusal.code}): {refusal.detail}", field="body")
        _decide([entry.pk], QuarantineState.REPLAYED, actor, reason)


def _one(body: str) -> Batch:
    batch = reading.read(body.encode("utf-8", "surrogatepass"))
    if batch.size != 1:
        raise Invalid("Send one event, as a JSON object.", field="body")
    return batch


def _all_waiting(identifiers: Sequence[int]) -> list[QuarantinedEvent]:
    if len(identifiers) > MOST:
        raise Invalid(f"Decide about {MOST:,} at once at most.", field="reason")
    found = QuarantinedEvent.objects.select_related("source").filter(pk__in=identifiers)
    return list(found.filter(state=QuarantineState.WAITING).order_by("received_at", "pk"))


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
