"""What tests of feeds do: give a source a feed, let it be due, read it, and compare."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.usage import feed_server
from tests.usage.factories import opened
from usage import collecting, feeds
from usage.models import Event, Feed, Source

OLGA = "user:olga@example.com"


def events(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [opened(number % 700, f"r{number}", account="acme") for number in range(first, first + count)]


def follow(dynos: Source, served: feed_server.Feed, **terms: Any) -> Feed:
    return feeds.put(dynos, actor=OLGA, **({"url": served.url, "page_size": 20} | terms))


def read(seconds: float = 30) -> collecting.Collected:
    """Let every feed be due, and read."""
    Feed.objects.update(run_after=timezone.now() - timedelta(hours=1))
    return collecting.collect_waiting(seconds=seconds)


def stored() -> list[str]:
    return sorted(Event.objects.values_list("event_id", flat=True))


def held(served: feed_server.Feed) -> list[str]:
    return sorted(event["id"] for event, _ in served.records)
