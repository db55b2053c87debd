"""The ways to a page of events: by key, by what an account or an app owns, by resource, or by reading time."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from core.periods import Month
from core.sql import load
from usage import archives, partitions, store
from usage.busy_time import LARGEST, parts
from usage.models import EventKey, Ownership, Source
from usage.places import EARLIEST, LATEST, MICROSECOND, NEWER, Place

MOST_READ: Final = 10 * LARGEST  # events that one page reads by time before it says how far it came
Row = tuple[Any, ...]
FORWARDS: Final = {"beyond": ">", "order": "asc"}
BACKWARDS: Final = {"beyond": "<", "order": "desc"}
CONDITIONS: Final = {
    "product": "e.product = %(product)b",
    "type": "e.type = %(type)b",
    "meter": "e.meter = %(meter)b",
    "source": "e.source_id = %(source)b",
    "resource": "e.resource = %(resource)b",
    "event_id": "e.event_id = %(event_id)b",
}
BY_NAME: Final = CONDITIONS | {"app": "e.app = %(app)b", "account": "e.account = %(account)b"}
BY_ACCOUNT: Final = CONDITIONS | {
    "resource": "o.resource = %(resource)b",
    "app": "coalesce(nullif(e.app, ''), o.app) = %(app)b",
}
NAMES: Final = ("resource", "product", "app", "account", "event_id", "type", "meter", "source")


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: texts that must be equal (an empty one is none), and a half-open span of event time."""

    resource: str = ""
    product: str = ""
    app: str = ""
    account: str = ""
    event_id: str = ""
    type: str = ""
    meter: str = ""
    source: str = ""
    first: datetime = EARLIEST
    last: datetime = LATEST


@dataclass(slots=True)
class Found:
    """Rows in the order of reading; ``reached`` is where it stopped because it had read much, else None."""

    rows: list[Row] = field(default_factory=list)
    reached: datetime | None = None


def find(asked: Question, place: Place, limit: int) -> Found:
    """Return up to ``limit`` matching events beyond ``place``, in its direction."""
    named: dict[str, Any] = {name: getattr(asked, name) for name in NAMES if getattr(asked, name)}
    if asked.source:
        source = Source.objects.filter(name=asked.source).values_list("pk", flat=True).first()
        if source is None:
            return Found()
        named["source"] = source
    forwards = place.direction == NEWER
    first = max(asked.first, place.time) if forwards else asked.first
    last = asked.last if forwards else min(asked.last, place.time + MICROSECOND)
    search = _Search(named, place, first, last, limit)
    if first < last:
        search.go()
    return search.found


@dataclass(slots=True)
class _Search:
    """One search: the parameters by name, where it goes on from, the span it looks at, and how many rows are wanted."""

    named: dict[str, Any]
    place: Place
    first: datetime
    last: datetime
    limit: int
    found: Found = field(default_factory=Found)

    def go(self) -> None:
        """Choose the way that reads least."""
        account, app = self.named.get("account"), self.named.get("app")
        if "event_id" in self.named:
            self._by_key()
        elif account and _owned(account=account):
            self._by_months("explore_account", BY_ACCOUNT)
        elif "resource" in self.named:
            self._by_months("explore_time", BY_NAME)
        elif app and not account and _owned(app=app):
            self._by_months("explore_app", CONDITIONS)
        else:
            self._by_time()

    @property
    def _forwards(self) -> bool:
        return self.place.direction == NEWER

    @property
    def _enough(self) -> bool:
        return len(self.found.rows) >= self.limit

    def _by_key(self) -> None:
        """Any source may have used the identifier; each of their events is found by its resource and time."""
        sources = [self.named["source"]] if "source" in self.named else Source.objects.values_list("pk", flat=True)
        keys = EventKey.objects.filter(source__in=list(sources), event_id=self.named["event_id"])
        for time, resource in sorted(set(keys.values_list("time", "resource")), reverse=not self._forwards):
            if self.first <= time < self.last and self.named.get("resource", resource) == resource:
                search = replace(self, named=self.named | {"resource": resource})
                search._read("explore_time", BY_NAME, time, time + MICROSECOND)

    def _by_months(self, statement: str, conditions: dict[str, str]) -> None:
        months = partitions.there()
        for month in months if self._forwards else reversed(months):
            first, last = max(self.first, month.start), min(self.last, month.end)
            if first < last and not self._enough:
                self._read(statement, conditions, first, last)

    def _by_time(self) -> None:
        """Read only where events are, and no more than MOST_READ."""
        archived, left = set(archives.within(self.first, self.last)), MOST_READ
        for first, last, events in parts(
            self.first,
            self.last,
            forwards=self._forwards,
            source=self.named.get("source"),
            lean=lambda hour: Month.containing(hour) in archived,
        ):
            if self._enough:
                return
            if left <= 0:
                self.found.reached = first if self._forwards else last
                return
            self._read("explore_time", BY_NAME, first, last)
            left -= events

    def _read(self, statement: str, conditions: dict[str, str], first: datetime, last: datetime) -> None:
        asked = "".join(f" and {text}" for name, text in conditions.items() if name in self.named)
        text = load("usage", statement).format(conditions=asked, **(FORWARDS if self._forwards else BACKWARDS))
        bounds = {"first": first, "last": last, "at_time": self.place.time, "at_id": self.place.id}
        with store.cursor() as cursor:
            named = self.named | bounds | {"size": self.limit - len(self.found.rows)}
            self.found.rows += cursor.execute(text.encode(), named).fetchall()


def _owned(**by: str) -> bool:
    """Say whether anything is, or ever was, owned by an account or as part of an app."""
    return Ownership.objects.filter(**by).exclude(resource="").exists()
