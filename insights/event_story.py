"""One event's whole story: what was said, what it became, whose it was, what corrected it, and which line billed it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from billing.models import Invoice, InvoiceLine, InvoiceStatus
from core.errors import NotFound
from core.periods import Month
from usage import archive_file, archives
from usage.models import (
    Amendment,
    Event,
    EventKey,
    EventType,
    Interval,
    Ownership,
    PairingProblem,
    QuarantinedEvent,
    Unpaired,
)


@dataclass(frozen=True, slots=True)
class Story:
    """Everything about one event; what does not apply is empty or None."""

    event: Event
    body_hash: str  # hex
    archived: Month | None  # its month, when it is read from that month's file
    intervals: list[Interval]  # that it opens or closes, newest belief first
    problem: PairingProblem | None
    waits: bool
    ownership: Ownership | None
    amendments: list[Amendment]
    aside: Amendment | None  # the standing amendment that it gives way to
    rivals: list[QuarantinedEvent]  # that used its identifier for something else
    invoice: Invoice | None
    lines: list[InvoiceLine]

    @property
    def standing(self) -> tuple[str, str]:
        """Where it stands in one word, and the tone of that."""
        reverted = any(a.pk == self.event.amendment_id and a.reverted_at for a in self.amendments)
        if self.aside is not None or reverted:
            return "put aside", "quiet"
        if self.problem is not None:
            return self.problem.get_kind_display(), "warn"
        if self.waits:
            return "waits", "info"
        return ("billed", "good") if any(line.invoice.number for line in self.lines) else ("counts", "good")

    @property
    def archive_note(self) -> str:
        """Where the event is, when it is not in the store."""
        return f"The events of {self.archived} are in their file: manage.py read_archive {self.archived}."

    @property
    def said(self) -> dict[str, str]:
        """The event as its source sent it, field by field."""
        event = self.event
        named = {name: getattr(event, name) for name in ("type", "resource", "product", "app", "account", "component")}
        meter = "" if event.quantity is None and event.meter == "duration" else event.meter
        quantity = "" if event.quantity is None else f"{event.quantity.normalize():f}"
        time = event.time.isoformat().replace("+00:00", "Z")
        said = {"id": event.event_id, "time": time} | named | {"meter": meter, "quantity": quantity}
        return {name: value for name, value in said.items() if value}


def tell(source: str, event_id: str) -> Story:
    """Return the story of an event by its source's name and its identifier; raise NotFound."""
    key = EventKey.objects.select_related("source").filter(source__name=source, event_id=event_id).first()
    if key is None:
        raise NotFound(f"{source} never sent an event {event_id} that was taken in.")
    event, archived = _event(key)
    at = event.time - timedelta(microseconds=1) if event.type == EventType.CLOSE else event.time
    ownership = _ownership(event.resource, at)
    amendments = _amendments(event)
    invoice, intervals = _invoice(ownership, at), _intervals(event)
    return Story(
        event=event,
        body_hash=bytes(key.body_hash).hex(),
        archived=archived,
        intervals=intervals,
        problem=PairingProblem.objects.filter(resource=event.resource, event_id=event.pk).first(),
        waits=Unpaired.objects.filter(event_id=event.pk).exists(),
        ownership=ownership,
        amendments=amendments,
        aside=next((a for a in amendments if a.reverted_at is None and a.recorded_at > event.received_at), None),
        rivals=list(QuarantinedEvent.objects.filter(source=key.source, event_id=event_id, code="conflict")[:20]),
        invoice=invoice,
        lines=_lines(invoice, ownership, intervals[0] if intervals else event, at),
    )


def _event(key: EventKey) -> tuple[Event, Month | None]:
    event = Event.objects.filter(resource=key.resource, time=key.time, id=key.event).first()
    if event is not None:
        event.source = key.source
        return event, None
    month = Month.containing(key.time)
    row = next(row for row in archives.read(month, resource=key.resource) if row.id == key.event)
    moments = {name: archive_file.moment(getattr(row, name)) for name in ("time", "received_at")}
    values = {name: value for name, value in row._asdict().items() if name not in ("source", "source_id")}
    return Event(**values | moments, source=key.source), month


def _intervals(event: Event) -> list[Interval]:
    ends = Q(open_event_id=event.pk) | Q(close_event_id=event.pk)
    return list(Interval.objects.filter(ends, resource=event.resource).order_by("-recorded_at", "-pk")[:20])


def _ownership(resource: str, at: datetime) -> Ownership | None:
    believed = Ownership.objects.filter(resource=resource, superseded_at=None, start__lte=at)
    return believed.filter(Q(end=None) | Q(end__gt=at)).first()


def _amendments(event: Event) -> list[Amendment]:
    of_its_time = Q(resource=event.resource, start__lte=event.time, end__gt=event.time, meter__in=("", event.meter))
    return list(Amendment.objects.filter(of_its_time | Q(pk=event.amendment_id)).order_by("-recorded_at"))


def _invoice(ownership: Ownership | None, at: datetime) -> Invoice | None:
    if ownership is None:
        return None
    of_month = Invoice.objects.filter(account__code=ownership.account, period_start=Month.containing(at).first_day)
    live = of_month.filter(kind="periodic", shadow=False).exclude(status=InvoiceStatus.VOID)
    return live.select_related("account").first()


def _lines(
    invoice: Invoice | None, ownership: Ownership | None, used: Event | Interval, at: datetime
) -> list[InvoiceLine]:
    """Return the lines that price this product and app at that time, on the invoice or as later adjustments of it."""
    if invoice is None or ownership is None:
        return []
    here: dict[str, Any] = {"product": used.product, "app": used.app or ownership.app, "component": used.component}
    lines = InvoiceLine.objects.filter(**here, period_start__lte=at, period_end__gt=at)
    found = lines.filter(Q(invoice=invoice) | Q(adjusts=invoice, invoice__shadow=False))
    return list(found.select_related("invoice").order_by("invoice__period_start", "position"))
