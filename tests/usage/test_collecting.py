"""Reading a feed that misbehaves: what it holds is here once each, whatever it does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import bell, leases
from core.errors import Invalid
from tests.usage import feed_server
from tests.usage.factories import measured, opened, source
from tests.usage.feeding import OLGA, events, follow, held, read, stored
from usage import collecting, feeds, fetching, sources
from usage.models import Event, Feed, QuarantinedEvent, Source

pytestmark = pytest.mark.django_db
NUISANCES = (
    "failing", "busy", "silent", "hang_up", "cut", "cut_chunk", "endless_cut", "garbage", "nested", "html", "no_next",
    "number_next", "odd_next", "long_next", "stuck", "backwards", "too_many", "huge", "huge_without_a_length", "drip",
    "drip_heading", "zipped", "away",
)  # fmt: skip
ODDITIES = ("chunked", "shuffled", "twice", "nothing_yet", "earlier", "back")


def test_reads_to_the_end_and_goes_on_from_there(dynos: Source, served: feed_server.Feed) -> None:
    served.add(*events(55))
    feed = follow(dynos, served)
    assert collecting.collect_waiting(seconds=10) == collecting.Collected(feeds=1, pages=3, accepted=55)
    feed.refresh_from_db()
    dynos.refresh_from_db()
    assert (feed.cursor, feed.state, feed.failures, feed.last_error) == ("55", "ready", 0, "")
    assert feed.caught_up_at and feed.cursor_at and feed.run_after > feed.caught_up_at + timedelta(seconds=55)
    assert dynos.last_heartbeat_at is not None
    served.add(*events(5, first=55))
    assert collecting.collect_waiting(seconds=10).feeds == 0  # it pauses
    assert read().accepted == 5
    assert stored() == held(served)
    assert [asked["after"] for asked in served.asked] == ["", "20", "40", "55"]
    assert {asked["topic"] for asked in served.asked} == {"dynos"}


@pytest.mark.parametrize("nuisance", NUISANCES)
def test_a_nuisance_stores_nothing_says_why_and_passes(
    dynos: Source, served: feed_server.Feed, impatient: None, nuisance: str
) -> None:
    served.add(*events(50))
    served.script = ["", nuisance]
    feed = follow(dynos, served)
    done = read()
    feed.refresh_from_db()
    assert (done.failed, done.accepted, feed.cursor, feed.failures) == (1, 20, "20", 1)
    assert feed.last_error.endswith(".") and feed.state == "ready" and feed.attempts == 0
    wait = (feed.run_after - datetime.now(UTC)).total_seconds()
    assert 850 < wait <= 900 if nuisance == "busy" else 4 < wait <= 10
    assert read().accepted == 30
    feed.refresh_from_db()
    assert (feed.failures, feed.last_error) == (0, "")
    assert stored() == held(served)
    assert not QuarantinedEvent.objects.exists()


@pytest.mark.parametrize("oddity", ODDITIES)
def test_an_oddity_changes_nothing(dynos: Source, served: feed_server.Feed, oddity: str) -> None:
    served.add(*events(50))
    served.script = ["", oddity]
    follow(dynos, served)
    while read().failed:
        assert served.happened["page"] < 20
    assert stored() == held(served)


def test_pauses_grow_with_each_failure_up_to_five_minutes(dynos: Source, served: feed_server.Feed) -> None:
    served.odds, served.menu = 1, ("failing",)
    feed = follow(dynos, served)
    waits = []
    for _ in range(9):
        read()
        feed.refresh_from_db()
        waits.append((feed.run_after - datetime.now(UTC)).total_seconds())
    assert feed.failures == 9 and feed.state == "ready"  # however long the outage, it is tried again
    longest = [10, 20, 40, 80, 160, 300, 300, 300, 300]
    assert all(most / 2 - 2 < wait <= most for wait, most in zip(waits, longest, strict=True))
    assert len({round(wait / most, 3) for wait, most in zip(waits, longest, strict=True)}) > 3  # jitter


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_storm_of_all_of_it(dynos: Source, served: feed_server.Feed, impatient: None, seed: int) -> None:
    """Every kind of answer at random, new records meanwhile, and the server restarted: each event once."""
    served.add(*events(300))
    served.odds, served.menu = 0.6, tuple(n for n in (*NUISANCES, *ODDITIES) if "drip" not in n and n != "silent")
    served.chance.seed(seed)
    feed = follow(dynos, served, page_size=8)
    for turn in range(400):
        read()
        if turn in (5, 10, 15):
            served.add(*events(40, first=1000 * turn))
        if turn == 8:
            served.stop()
            assert read().failed == 1
            served.start()
        feed.refresh_from_db()
        if turn > 15 and int(feed.cursor or 0) == len(served.records):
            break
    assert stored() == held(served)
    assert len(set(stored())) == 420
    assert not QuarantinedEvent.objects.exists()
    assert len(served.happened) > 15


class TestMargin:
    """The newest minutes of a feed may still change their order."""

    def now(self, seconds: float) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(seconds=seconds)
        return measured(0, 1, id=f"at-{seconds}") | {"time": at.isoformat()}

    @pytest.mark.parametrize("honours", [True, False])
    def test_young_records_wait_and_may_be_overtaken(
        self, dynos: Source, served: feed_server.Feed, honours: bool
    ) -> None:
        """A feed that knows ``min_age`` leaves them out; with one that does not, we stop before them."""
        served.honours_min_age = honours
        served.add(self.now(900), self.now(800), age=700)
        served.add(self.now(200), age=200)
        served.add(self.now(100), age=100)
        feed = follow(dynos, served)
        assert read().accepted == 2
        feed.refresh_from_db()
        assert (feed.cursor, feed.failures) == ("2", 0) and feed.caught_up_at
        served.add(self.now(250), age=250, at=2)  # one that was slow to commit takes its place in front of them
        assert read().accepted == 0
        served.settle()
        served.honours_min_age = True
        Feed.objects.update(margin_seconds=0)
        assert read().accepted == 3
        assert stored() == held(served)

    def test_without_it_a_record_that_moves_would_be_lost(self, dynos: Source, served: feed_server.Feed) -> None:
        """The negative control."""
        served.add(self.now(900), self.now(800), age=700)
        served.add(self.now(200), age=200)
        follow(dynos, served, margin_seconds=0)
        assert read().accepted == 3
        served.add(self.now(250), age=250, at=2)
        served.settle()
        read()
        assert stored() != held(served)

    def test_a_clock_that_is_wrong_does_not_stop_the_feed(self, dynos: Source, served: feed_server.Feed) -> None:
        served.add(measured(0, 1) | {"time": "2099-01-01T00:00:00Z"}, *events(3))
        follow(dynos, served)
        assert (read().refused, len(stored())) == (1, 3)
        assert QuarantinedEvent.objects.get().code == "in_future"

    def test_is_never_longer_than_the_source_may_be_late(self, dynos: Source, served: feed_server.Feed) -> None:
        with pytest.raises(Invalid, match="margin"):
            follow(dynos, served, margin_seconds=3601)


def test_what_is_wrong_with_an_event_stops_no_other(dynos: Source, served: feed_server.Feed) -> None:
    served.add(opened(0, "a"), {"id": "x", "type": "start"}, opened(1, "a") | {"id": "open-a-standard-1x-0"}, opened(2))
    feed = follow(dynos, served)
    done = read()
    assert (done.accepted, done.refused) == (2, 2)
    assert sorted(QuarantinedEvent.objects.values_list("code", flat=True))[0] == "conflict"
    feed.refresh_from_db()
    assert feed.cursor == "4"


def test_a_paused_source_is_not_read_and_goes_on_where_it_was(dynos: Source, served: feed_server.Feed) -> None:
    served.add(*events(30))
    feed = follow(dynos, served)
    sources.pause(dynos, actor=OLGA, reason="x")
    assert read() == collecting.Collected(feeds=1) and not served.asked
    feed.refresh_from_db()
    assert feed.state == "ready" and feed.caught_up_at is None
    sources.resume(dynos, actor=OLGA)
    assert read().accepted == 30


def test_a_source_that_is_paused_while_its_page_comes_stores_nothing(
    dynos: Source, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.add(*events(30))
    follow(dynos, served)
    get = fetching.get

    def slowly(url: str, **how: Any) -> bytes:
        body = get(url, **how)
        sources.pause(dynos, actor=OLGA, reason="x")
        return body

    monkeypatch.setattr(fetching, "get", slowly)
    assert read().accepted == 0 and not stored()


def test_a_feed_whose_readers_die_is_given_up_until_somebody_looks(dynos: Source, served: feed_server.Feed) -> None:
    feed = follow(dynos, served)
    for _ in range(Feed.max_attempts):
        assert leases.claim(Feed, seconds=-1)
    assert read() == collecting.Collected()
    feed.refresh_from_db()
    assert feed.state == "dead" and "died" in feed.last_error
    served.add(*events(3))
    feeds.try_again(dynos, actor=OLGA)
    assert collecting.collect_waiting(seconds=10).accepted == 3


def test_many_feeds_share_the_time(dynos: Source, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    served.add(*events(200))
    follow(dynos, served, page_size=1)
    other = feed_server.Feed().start()
    other.add(*[event | {"id": f"b{event['id']}"} for event in events(3, first=1000)])
    follow(source("routers"), other)
    monkeypatch.setattr(collecting, "TURN_SECONDS", 0.05)
    try:
        collecting.collect_waiting(seconds=0.6)
        assert Event.objects.filter(source__name="routers").count() == 3
        assert 0 < Event.objects.filter(source=dynos).count() < 200
        assert read().feeds > 1
        assert Event.objects.count() == 203
    finally:
        other.stop()


def test_a_bell_rings_for_feeds_that_are_due(dynos: Source, served: feed_server.Feed) -> None:
    collecting.sweep()
    assert bell.waiting("mail") == 0
    served.add(*events(3))
    follow(dynos, served)
    for _ in range(5):
        collecting.sweep()
    assert bell.waiting("mail") == 2
    assert collecting.collect() == 3
    assert collecting.collect() == 0
