"""What usage's tests are made of: a source, and events by the hour of one month."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from core.periods import Month, Span
from usage import intake, locks, pairing, partitions, reading, sources, store
from usage.intake import Answer
from usage.models import Amendment, Source
from usage.window import ANY_PAST

START = datetime(2026, 10, 1, tzinfo=UTC)
Event = dict[str, Any]


def source(name: str = "dynos", **contract: Any) -> Source:
    made, _ = sources.create(name, actor="user:olga@example.com", **({"past_days": 3650} | contract))
    return made


def hour(number: float) -> datetime:
    """The moment that many hours after the month began."""
    return START + timedelta(hours=number)


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def event(kind: str, at: float, resource: str = "r1", product: str = "standard-1x", **more: Any) -> Event:
    """One event; its identifier says what it is unless ``id`` is given."""
    said = {"type": kind, "time": written(hour(at)), "resource": resource, "product": product} | more
    return {"id": f"{kind}-{resource}-{product}-{at}"} | said


def opened(at: float, resource: str = "r1", product: str = "standard-1x", **more: Any) -> Event:
    return event("open", at, resource, product, **more)


def closed(at: float, resource: str = "r1", product: str = "standard-1x", **more: Any) -> Event:
    return event("close", at, resource, product, **more)


def measured(at: float, quantity: Any, resource: str = "r1", product: str = "requests", **more: Any) -> Event:
    return event("measured", at, resource, product, **({"meter": "requests", "quantity": quantity} | more))


def gauge(at: float, level: Any, resource: str = "r1", product: str = "storage", **more: Any) -> Event:
    return event("gauge", at, resource, product, **({"meter": "storage", "quantity": level} | more))


def report(reporter: Source, events: Iterable[Event], **how: Any) -> Answer:
    """Send events through the intake as a source does, but from any month."""
    batch = reading.read(json.dumps(list(events)).encode())
    return intake.accept(reporter, batch, **({"window": ANY_PAST} | how))


def settled(reporter: Source, events: Iterable[Event]) -> Answer:
    """Send events and pair them."""
    answer = report(reporter, events)
    pairing.drain()
    return answer


def amended(
    reporter: Source, start: float, end: float, events: Iterable[Event] = (), resource: str = "r1", meter: str = ""
) -> Amendment:
    """Say anew what a resource did in some hours, as ``reporter``'s events, straight into the tables."""
    said = reading.read(json.dumps(list(events)).encode()).events
    partitions.ensure(Month.containing(event.time) for event in said)
    with store.writing() as cursor:
        now = locks.history(cursor)
        about = {"resource": resource, "meter": meter, "start": hour(start), "end": hour(end)}
        made = Amendment.objects.create(**about, reason="test", recorded_at=now, recorded_by="test")
        if said:
            intake.restate(cursor, reporter, said, now, made.pk)
        pairing.repair(cursor, [resource], now, within=Span(made.start, made.end))
    return made


def reverted(amendment: Amendment) -> None:
    """Take an amendment back."""
    with store.writing() as cursor:
        now = locks.history(cursor)
        found = Amendment.objects.filter(pk=amendment.pk)
        found.update(reverted_at=now, reverted_by="test", revert_reason="test")
        pairing.repair(cursor, [amendment.resource], now, within=Span(amendment.start, amendment.end))
