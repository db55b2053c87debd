"""Readers that die, sleep or work at once: events and cursor stay where they belong, together."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from core import leases
from core.sql import load
from tests.usage import feed_server
from tests.usage.feeding import events, follow, held, read, stored
from tests.world import World
from usage import collecting, fetching, intake, store
from usage.models import Feed, Source

pytestmark = pytest.mark.django_db


class TestADeathBetweenEventsAndCursor:
    """The reader ends in the middle of storing its second page."""

    @pytest.fixture
    def dying(self, dynos: Source, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch) -> None:
        served.add(*events(60))
        follow(dynos, served)
        accept, stored_pages = intake.accept, []

        def once(*args: Any, **how: Any) -> intake.Answer:
            stored_pages.append(True)
            if len(stored_pages) == 2:
                raise KeyboardInterrupt
            return accept(*args, **how)

        monkeypatch.setattr(intake, "accept", once)

    def again(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            read()
        Feed.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        read()

    @pytest.mark.usefixtures("dying")
    def test_takes_both_back(self, served: feed_server.Feed) -> None:
        self.again()
        assert stored() == held(served)

    @pytest.mark.usefixtures("dying")
    def test_would_lose_a_page_if_the_cursor_moved_by_itself(
        self, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: the same statements without the transaction around them."""
        monkeypatch.setattr(collecting, "store", SimpleNamespace(writing=store.cursor))
        self.again()
        assert len(stored()) == 40 and set(stored()) < set(held(served))


class TestTwoReaders:
    """A reader sleeps past its lease with a page in its hands; another reads on meanwhile."""

    @pytest.fixture
    def overtaken(self, dynos: Source, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch) -> Feed:
        served.add(*events(100))
        feed = follow(dynos, served)
        get, slept = fetching.get, []

        def slowly(url: str, **how: Any) -> bytes:
            body = get(url, **how)
            if not slept:
                slept.append(True)
                Feed.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
                assert collecting.collect_waiting(seconds=10).accepted == 100
            return body

        monkeypatch.setattr(fetching, "get", slowly)
        return feed

    def test_the_fence_refuses_the_page_of_the_first(self, overtaken: Feed, served: feed_server.Feed) -> None:
        done = collecting.collect_waiting(seconds=10)
        assert (done.pages, done.failed) == (0, 0)
        overtaken.refresh_from_db()
        assert (overtaken.cursor, overtaken.state, overtaken.last_error) == ("100", "ready", "")
        assert stored() == held(served)

    def test_without_the_fence_the_cursor_would_go_back(
        self, overtaken: Feed, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: page after page would be read again."""
        fenced = "f.fence = %(fence)b and f.state = 'leased'"

        def loose(app: str, name: str) -> str:
            return load(app, name).replace(fenced, "%(fence)b = %(fence)b")

        monkeypatch.setattr(collecting, "load", loose)
        done = collecting.collect_waiting(seconds=10)
        assert (done.pages, done.duplicate) == (5, 100)

    def test_one_that_is_leased_is_left_alone(self, dynos: Source, served: feed_server.Feed) -> None:
        follow(dynos, served)
        assert leases.claim(Feed, seconds=60)
        assert read() == collecting.Collected() and not served.asked


def expire(world: World) -> None:
    """Let two minutes pass."""
    world.sql("update usage_feed set lease_until = now() - interval '1 second' where state = 'leased'")
    world.sql("update usage_feed set run_after = now() - interval '1 second'")


POINTS = {"collecting.after_read": 0, "intake.before_commit": 0, "collecting.before_commit": 0,
          "collecting.after_commit": 50}  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_a_reader_that_is_killed_leaves_events_and_cursor_together(
    world: World, served: feed_server.Feed, point: str
) -> None:
    served.add(*events(120))
    world.manage("create_source", "dynos", "--past-days", "3650")
    world.manage("feed", "dynos", "--url", served.url, "--page-size", "50")
    killed = world.manage("collect", "--once", check=False, VAULT_FAILPOINTS=f"{point}=kill")
    assert killed.returncode == -9
    assert world.value("select count(*) from usage_event") == POINTS[point]
    assert int(world.value("select cursor from usage_feed") or 0) == POINTS[point]
    expire(world)
    done = json.loads(world.manage("collect", "--once", "--json").stdout)
    assert (done["accepted"], done["duplicate"]) == (120 - POINTS[point], 0)
    assert sorted(row[0] for row in world.sql("select event_id from usage_event")) == held(served)


def test_two_readers_share_three_feeds_and_are_killed_over_and_over(world: World) -> None:
    servers = [feed_server.Feed(seed=n, odds=0.2, menu=("failing", "cut", "garbage", "twice")) for n in range(3)]
    for number, server in enumerate(servers):
        server.start()
        server.add(*events(1000, first=10_000 * number))
        world.manage("create_source", f"s{number}", "--past-days", "3650")
        world.manage("feed", f"s{number}", "--url", server.url, "--page-size", "10", "--every", "1")
    try:
        readers = [world.start("collect", name=f"reader{n}") for n in range(2)]
        struck = 0
        for kill in range(6):
            before = world.value("select count(*) from usage_event")
            world.wait_until(
                lambda before=before: world.value("select count(*) from usage_event") > before or done(world)
            )
            struck += not done(world)
            if kill % 3 == 2:  # every connection is cut, which no reader dies of
                world.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                          " and pid <> pg_backend_pid()")  # fmt: skip
            else:
                world.kill(readers[kill % 2])
                readers[kill % 2] = world.start("collect", name=f"reader{kill % 2}")
            expire(world)
        world.wait_until(lambda: (expire_failed(world), done(world))[1], 90, "every feed to be read to its end")
        ids = sorted(row[0] for row in world.sql("select event_id from usage_event"))
        assert ids == sorted(event["id"] for server in servers for event, _ in server.records)
        assert world.value("select count(*) from usage_quarantinedevent") == 0
        assert struck >= 4
        assert [reader.poll() for reader in readers] == [None, None]
        assert all(server.happened["page"] > 50 for server in servers)
    finally:
        for server in servers:
            server.stop()


def done(world: World) -> bool:
    return bool(world.value("select bool_and(cursor = '1000') from usage_feed"))


def expire_failed(world: World) -> None:
    world.sql("update usage_feed set run_after = now() where failures > 0")
