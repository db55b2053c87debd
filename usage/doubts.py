"""What looks wrong with opens, closes and intervals, each with its probable cause, for a person to remedy many."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from core.sql import load
from usage import causes, health, store
from usage.addresses import resource_url
from usage.causes import Cause, Signs
from usage.models import PairingProblem, QuarantinedEvent, QuarantineState, Source

MOST: Final = 2_000  # listed at once, oldest first
SHORTEST: Final = timedelta(days=30)  # of what may count as having run for long
QUARANTINE_LOOKED_AT: Final = 2_000  # refused events whose bodies are searched for a resource
_COUNTED: Final = (
    b"select count(*) from (select from usage_interval where superseded_at is null and %s limit %%(most)b) f"
)
_COUNTS: Final = {
    "open": _COUNTED % b"closed is null and opened < %(limit)b",
    "long": _COUNTED % b"closed - opened > interval '30 days' and closed - opened > %(limit)b",
}
_KEY: Final = re.compile(r"([ip])([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Doubt:
    """One open, close or interval that asks for a look. ``key`` names it as long as it is so.

    ``event`` is the event in doubt, of an interval its open; ``until`` is the end of an interval that has one.
    """

    key: str
    kind: str
    resource: str
    meter: str
    product: str
    type: str
    at: datetime
    until: datetime | None
    seen_at: datetime
    event: int
    source: Source | None
    since: datetime | None
    disowned_at: datetime | None
    cause: Cause

    @property
    def cause_code(self) -> str:
        return self.cause.code

    @property
    def url(self) -> str:
        """Where the time line of its resource is."""
        return resource_url(self.resource)


def old_after() -> timedelta:
    """How long something may run before it is worth a look."""
    return timedelta(days=settings.USAGE_OLD_DAYS)


def long_after() -> timedelta:
    """How long something may have run before it is worth a look; never less than what the index holds."""
    return max(timedelta(days=settings.USAGE_LONG_DAYS), SHORTEST)


def problems(now: datetime, *, kind: str = "", resource: str = "", most: int = MOST) -> list[Doubt]:
    """Return what made no interval, oldest first."""
    named = {"kind": kind, "resource": resource, "most": most}
    rows = _rows("doubtful_problems", named)
    about = _About.of(now, [row[2] for row in rows])
    return [
        _doubt(f"p{event}", *said, event=event, source=source, since=since, until=None, disowned_at=None, about=about)
        for event, *said, source, _, since in rows
    ]


def intervals(now: datetime, *, running: bool, resource: str = "", most: int = MOST) -> list[Doubt]:
    """Return what has been running for long or, not ``running``, what ran for long; oldest first."""
    limit = {"before": now - old_after()} if running else {"longest": long_after()}
    named = limit | {"now": now, "resource": resource, "most": most}
    rows = _rows("doubtful_running" if running else "doubtful_long", named)
    about = _About.of(now, [row[1] for row in rows])
    kind = causes.OLD_OPEN if running else causes.OVER_LONG
    return [
        _doubt(
            f"i{key}", kind, on, meter, product, "open", opened, seen_at,
            event=event, source=source, since=None, until=closed, disowned_at=disowned_at, about=about,
        )
        for key, on, meter, product, opened, closed, seen_at, event, source, _, disowned_at in rows
    ]  # fmt: skip


def listed(name: str, now: datetime, *, kind: str = "", resource: str = "", cause: str = "") -> list[Doubt]:
    """Return one of the lists: ``pairing``, ``open`` (running for long) or ``long`` (ran for long), narrowed."""
    if name == "pairing":
        found = problems(now, kind=kind, resource=resource)
    else:
        found = intervals(now, running=name == "open", resource=resource)
    return [doubt for doubt in found if cause in ("", doubt.cause.code)]


def count(name: str, now: datetime) -> int:
    """Return how long a list is, without looking for causes; beyond MOST it is not counted."""
    if name == "pairing":
        return PairingProblem.objects.count()
    limit = {"limit": now - old_after()} if name == "open" else {"limit": long_after()}
    with store.cursor() as cursor:
        found: int = cursor.execute(_COUNTS[name], limit | {"most": MOST}).fetchall()[0][0]
    return found


def chosen(keys: Iterable[str], now: datetime) -> list[Doubt]:
    """Return those of ``keys`` that are still in doubt, whatever list they stand on."""
    wanted = {key for key in keys if _KEY.fullmatch(key)}
    found: list[Doubt] = []
    if any(key.startswith("p") for key in wanted):
        found += problems(now)
    if any(key.startswith("i") for key in wanted):
        found += [*intervals(now, running=True), *intervals(now, running=False)]
    return [doubt for doubt in found if doubt.key in wanted]


def by_cause(doubts: Iterable[Doubt]) -> list[tuple[str, str, int]]:
    """Return how many have which cause, the most frequent first: code, title, count."""
    counted = Counter(doubt.cause.code for doubt in doubts)
    return [(code, causes.TITLES[code], count) for code, count in counted.most_common()]


@dataclass(frozen=True, slots=True)
class _About:
    """What is asked once for a whole list: the sources, and which resources a refused event names."""

    now: datetime
    sources: Mapping[int, Source]
    refused: frozenset[str]

    @classmethod
    def of(cls, now: datetime, resources: Sequence[str]) -> "_About":
        waiting = QuarantinedEvent.objects.filter(state=QuarantineState.WAITING).order_by("-received_at")
        bodies = "\n".join(waiting.values_list("body", flat=True)[:QUARANTINE_LOOKED_AT]) if resources else ""
        named = frozenset(resource for resource in set(resources) if bodies and f'"{resource}"' in bodies)
        return cls(now, {source.pk: source for source in Source.objects.all()}, named)


def _doubt(
    key: str,
    kind: str,
    resource: str,
    meter: str,
    product: str,
    event_type: str,
    at: datetime,
    seen_at: datetime,
    *,
    event: int,
    source: int | None,
    since: datetime | None,
    until: datetime | None,
    disowned_at: datetime | None,
    about: _About,
) -> Doubt:
    sender = about.sources.get(source or 0)
    signs = Signs(
        kind,
        at,
        seen_at,
        health.health(sender, about.now) if sender else "",
        health.last_heard(sender) if sender else None,
        timedelta(seconds=sender.lateness_seconds) if sender else timedelta(0),
        since,
        disowned_at,
        resource in about.refused,
    )
    found = causes.cause(signs, about.now)
    return Doubt(
        key, kind, resource, meter, product, event_type, at, until, seen_at, event, sender, since, disowned_at, found
    )


def _rows(name: str, named: dict[str, Any]) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(load("usage", name).encode(), named).fetchall()
