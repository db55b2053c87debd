"""Find events among millions: by who, what, where and when."""

from collections.abc import Mapping
from typing import Final

from django.db.models import QuerySet

from core.errors import Invalid
from core.fields import moment
from usage.models import Event, EventType

EXACT: Final = ("resource", "product", "app", "account", "event_id", "type")
FILTERS: Final = (*EXACT, "source", "from", "to")


def events(asked: Mapping[str, str]) -> QuerySet[Event]:
    """Return the events that match every filter given, unordered; raise Invalid when one cannot be read.

    ``from`` and ``to`` bound the event's time, half-open. An empty filter is none.
    """
    found = Event.objects.select_related("source")
    for name in EXACT:
        if text := _text(asked, name):
            found = found.filter(**{name: text})
    if asked.get("type") and asked["type"] not in EventType.values:
        raise Invalid("type is open, close, measured or gauge.", field="type")
    if text := _text(asked, "source"):
        found = found.filter(source__name=text)
    if asked.get("from"):
        found = found.filter(time__gte=moment(asked["from"], "from"))
    if asked.get("to"):
        found = found.filter(time__lt=moment(asked["to"], "to"))
    return found


def _text(asked: Mapping[str, str], name: str) -> str:
    text = asked.get(name, "")
    if "\0" in text:
        raise Invalid(f"{name} contains a NUL, which no text has.", field=name)
    return text


def page(asked: Mapping[str, str], *, before: str, size: int) -> tuple[list[Event], str]:
    """Return up to ``size`` matching events, newest first, and what ``before`` must be for older ones, if any."""
    found = events(asked).order_by("-id")
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Invalid("before is the number that the page before ended with.", field="before")
        found = found.filter(pk__lt=int(before))
    rows = list(found[: size + 1])
    return rows[:size], str(rows[size - 1].pk) if len(rows) > size else ""
