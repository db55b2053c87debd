"""What corrections did: the events that were told and those that count, the time that changed, what covers what."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet

from core.periods import Span
from core.sql import load
from usage import effective, store
from usage.addresses import event_url
from usage.amending import MOST_EVENTS, Made
from usage.models import Amendment, Interval
from usage.reported import ReportedEvent

_NAMED: Final = re.compile(r"\bAmendment ([0-9]{1,18})(?: was taken back)?:")


class Told(NamedTuple):
    """One event of a resource; ``counts`` unless an amendment put it aside, or its own amendment was taken back."""

    key: int
    source: str
    event_id: str
    type: str
    time: datetime
    resource: str
    product: str
    meter: str
    component: str
    app: str
    account: str
    quantity: Decimal | None
    received_at: datetime
    amendment: int | None
    counts: bool

    @property
    def url(self) -> str:
        """Where its own page is."""
        return event_url(self.source, self.event_id)

    def restated(self, index: int = 0) -> ReportedEvent:
        """Return what it says, to be said again by an amendment."""
        return ReportedEvent(
            index, self.event_id, self.type, self.time, self.resource, self.product, self.meter, self.component,
            self.app, self.account, self.quantity,
        )  # fmt: skip


class Changed(NamedTuple):
    """What a change touched: the accounts that own or owned its resources, and the time in which usage differs."""

    accounts: list[str]
    spans: list[Span]


def told(
    resource: str,
    start: datetime,
    end: datetime,
    *,
    meter: str = "",
    cutoff: datetime = effective.NOW,
    most: int = MOST_EVENTS + 1,
) -> list[Told]:
    """Return the events of ``resource`` in ``[start, end)`` that were known at ``cutoff``, in order of their time."""
    named = {"resource": resource, "start": start, "end": end, "meter": meter, "cutoff": cutoff, "most": most}
    with store.cursor() as cursor:
        return [Told._make(row) for row in cursor.execute(effective.statement("told"), named)]


def changed(made: Made, *, until: datetime) -> Changed:
    """Return what a change touched before ``until``."""
    between: dict[str, Any] = {"resources": made.resources, "before": made.before, "after": made.after}
    with store.cursor() as cursor:
        accounts = cursor.execute(load("usage", "owners_of_resources").encode(), between).fetchall()
        named = between | {"amendments": made.amendments}
        stretches = cursor.execute(load("usage", "amended_time").encode(), named).fetchall()
    ended = [(start, min(end or until, until)) for start, end in stretches]
    return Changed([code for (code,) in accounts], [Span(start, end) for start, end in ended if start < end])


class Cause(NamedTuple):
    """Why a line of usage changed: an amendment that was recorded since, or ``back``: one that was taken back."""

    account: str
    app: str
    product: str
    component: str
    meter: str
    amendment: int
    reason: str
    back: bool

    def __str__(self) -> str:
        """Say it in the reason of a line; ``named`` finds the amendment there again."""
        return f"Amendment {self.amendment}{' was taken back' if self.back else ''}: {self.reason}"


def named(reason: str) -> list[int]:
    """Return the amendments that the reason of an adjustment names."""
    return [int(number) for number in _NAMED.findall(reason)]


def causes(accounts: Sequence[str], span: Span, *, since: datetime, cutoff: datetime) -> list[Cause]:
    """Return which amendments changed what ``accounts`` used in ``span`` between two moments of knowledge."""
    named = {"accounts": list(accounts), "first": span.start, "last": span.end, "since": since, "cutoff": cutoff}
    with store.cursor() as cursor:
        rows = cursor.execute(load("usage", "amendments_behind").encode(), named).fetchall()
    return [Cause._make(row) for row in rows]


def covering(one: Amendment) -> QuerySet[Amendment]:
    """Return the later amendments that stand and speak of some of the same: what ``one`` says there counts no more."""
    later = Amendment.objects.filter(
        resource=one.resource, reverted_at=None, recorded_at__gt=one.recorded_at, start__lt=one.end, end__gt=one.start
    )
    return later if not one.meter else later.filter(Q(meter="") | Q(meter=one.meter))


def standing_with(one: Amendment) -> list[int]:
    """Return the amendments of its batch that stand."""
    return list(Amendment.objects.filter(batch=one.batch, reverted_at=None).order_by("pk").values_list("pk", flat=True))


def of_resource(resource: str, *, known_at: datetime) -> Sequence[Amendment]:
    """Return the amendments of a resource that were recorded by ``known_at``, newest first."""
    return list(Amendment.objects.filter(resource=resource, recorded_at__lte=known_at).order_by("-recorded_at", "-pk"))


def running(resource: str, meter: str, at: datetime) -> Interval | None:
    """Return the interval that is believed to run at a moment, or None."""
    found = Interval.objects.filter(resource=resource, meter=meter, superseded_at=None, opened__lte=at)
    return found.filter(Q(closed=None) | Q(closed__gt=at)).first()
