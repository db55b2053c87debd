"""A real feed over HTTP for a test, and a source to read it as."""

from collections.abc import Iterator

import pytest

from core import outgoing
from tests.usage import feed_server
from tests.usage.factories import source
from usage import fetching
from usage.models import Source


@pytest.fixture
def served() -> Iterator[feed_server.Feed]:
    feed = feed_server.Feed().start()
    yield feed
    feed.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(fetching, "WHOLE_SECONDS", 0.6)


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos", past_days=3650)
