"""Reading a feed that misbehaves: what it holds is here once each, whatever it does and whoever dies."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import minting
from accounts.models import User
from core import bell, leases
from core.audit import acting
from core.errors import Invalid, NotFound
from core.models import AuditEntry
from core.sql import load
from tests.usage import feed_server
from tests.usage.factories import measured, opened, source
from tests.world import World
from usage import collecting, feeds, fetching, sources
from usage.models import Event, Feed, QuarantinedEvent, Source

pytestmark = pytest.mark.django_db
OLGA = "user:olga@example.com"
NUISANCES = (
    "failing", "busy", "silent", "hang_up", "cut", "cut_chunk", "endless_cut", "garbage", "nested", "html", "no_next",
    "number_next", "odd_next", "long_next", "stuck", "backwards", "too_many", "huge", "huge_without_a_length", "drip",
    "drip_heading", "zipped", "away",
)  # fmt: skip
ODDITIES = ("chunked", "shuffled", "twice", "nothing_yet", "earlier", "back")


def events(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [opened(number % 700, f"r{number}", account="acme") for number in range(first, first + count)]


@pytest.fixture
def served() -> Iterator[feed_server.Feed]:
    feed = feed_server.Feed().start()
    yield feed
    feed.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(fetching, "WHOLE_SECONDS", 0.6)


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos", past_days=3650)


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


def test_a_feed_whose_readers_die_is_given_up_until_somebody_looks(dynos: Source, served: feed_server.Feed) -> None:
    feed = follow(dynos, served)
    for _ in range(leases.MAX_ATTEMPTS):
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


class TestWhereItMayGo:
    """A feed's address is given by a person, and the answers come from elsewhere."""

    @pytest.mark.parametrize(
        "url",
        ["ftp://x.example/", "x.example/feed", "https://", "https://ada:pw@x.example/", "http://[::1/", "file:///etc",
         "https://x.example/a b", "https://x.example:0/", "https://x.example:99999/", "https://ä.example/", ""],
    )  # fmt: skip
    def test_odd_addresses_are_refused_at_once(self, dynos: Source, url: str) -> None:
        with pytest.raises(Invalid):
            feeds.put(dynos, actor=OLGA, url=url)

    @pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "0.0.0.0"])
    def test_only_https_leaves_this_machine(self, dynos: Source, host: str) -> None:
        with pytest.raises(Invalid, match="Only https"):
            feeds.put(dynos, actor=OLGA, url=f"http://{host}/feed")
        feed = feeds.put(dynos, actor=OLGA, url="http://localhost/feed")
        Feed.objects.update(url=f"http://{host}/feed")
        assert read().failed == 1
        feed.refresh_from_db()
        assert "Only https" in feed.last_error

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[fd00::1]"]
    )
    def test_nothing_private_when_so_configured(self, dynos: Source, settings: Any, host: str) -> None:
        settings.FEEDS_PUBLIC_ONLY = True
        feed = feeds.put(dynos, actor=OLGA, url=f"https://{host}/feed")
        assert read().failed == 1
        feed.refresh_from_db()
        assert "VAULT_FEEDS_PUBLIC_ONLY forbids" in feed.last_error

    def test_the_token_comes_from_the_environment_and_is_never_said(
        self, dynos: Source, served: feed_server.Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served.token = "s3cret"
        served.add(*events(3))
        feed = follow(dynos, served)
        assert feeds.token_name("eu-west.dynos") == "VAULT_FEED_TOKEN_EU_WEST_DYNOS"
        assert read().failed == 1
        monkeypatch.setenv("VAULT_FEED_TOKEN_DYNOS", "s3cret\nX-Other: 1")
        assert read().failed == 1
        feed.refresh_from_db()
        assert "s3cret" not in feed.last_error and len(served.asked) == 1
        monkeypatch.setenv("VAULT_FEED_TOKEN_DYNOS", "s3cret\n")
        assert read().accepted == 3

    def test_a_certificate_is_checked_and_a_slow_one_is_cut(
        self, dynos: Source, tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pem = tmp_path / "localhost.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", tmp_path / "c.pem",
             "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True, capture_output=True,
        )  # fmt: skip
        pem.write_bytes(pem.read_bytes() + (tmp_path / "c.pem").read_bytes())
        served = feed_server.Feed(certificate=str(pem)).start()
        served.add(*events(30))
        feed = follow(dynos, served)
        assert read().failed == 1
        feed.refresh_from_db()
        assert "CERTIFICATE_VERIFY_FAILED" in feed.last_error and not served.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "c.pem"))
        served.script = ["", "drip"]
        assert (read().accepted, read().accepted) == (20, 10)
        assert served.happened["drip"] == 1
        served.stop()


class TestTerms:
    def test_changes_are_signed_and_begin_anew_only_when_asked(self, dynos: Source, served: feed_server.Feed) -> None:
        served.add(*events(30))
        follow(dynos, served)
        read()
        fence = Feed.objects.get().fence
        feed = feeds.put(dynos, actor=OLGA, page_size=7)
        assert (feed.cursor, feed.page_size, feed.fence) == ("30", 7, fence + 1)
        entry = AuditEntry.objects.filter(table="usage_source").latest("pk")
        assert (entry.actor, entry.before["feed"]["page_size"], entry.after["feed"]["page_size"]) == (OLGA, 20, 7)
        feeds.put(dynos, actor=OLGA, cursor="")
        assert read().duplicate == 30
        assert len(stored()) == 30

    def test_removed_it_is_read_no_more(self, dynos: Source, served: feed_server.Feed) -> None:
        served.add(*events(3))
        follow(dynos, served)
        read()
        feeds.remove(dynos, actor=OLGA)
        assert read() == collecting.Collected() and len(stored()) == 3
        with pytest.raises(NotFound, match="feed dynos --url"):
            feeds.of(dynos)

    @pytest.mark.parametrize("terms", [{"page_size": 0}, {"page_size": 10_001}, {"every_seconds": 0}, {"cursor": "\0"},
                                       {"margin_seconds": -1}, {"every_seconds": 10**12}])  # fmt: skip
    def test_impossible_terms_are_refused(self, dynos: Source, served: feed_server.Feed, terms: Any) -> None:
        with pytest.raises(Invalid):
            follow(dynos, served, **terms)


def test_staff_see_how_far_it_was_read_and_what_stands_in_the_way(dynos: Source, served: feed_server.Feed) -> None:
    with acting("system:test"):
        olga = User.objects.create_user("olga@example.com", None, role="operator")
    client = Client()
    client.force_login(olga, backend="django.contrib.auth.backends.ModelBackend")
    assert "Read from its feed" not in client.get("/sources/dynos/").content.decode()
    follow(dynos, served)
    assert "never yet" in client.get("/sources/dynos/").content.decode()
    served.add(*events(30))
    served.script = ["", "failing"]
    read()
    page = client.get("/sources/dynos/").content.decode()
    assert "The last reading failed" in page and "The feed answered 500." in page and 'mono">20</span>' in page
    key = minting.for_staff(olga, ["usage:read"], actor=olga.actor).text
    answer = Client().get("/api/v1/usage/sources", headers={"Authorization": f"Bearer {key}"}).json()
    said = answer["results"][0]["feed"]
    assert (said["cursor"], said["failures"], said["last_error"]) == ("20", 1, "The feed answered 500.")
    Feed.objects.update(state="dead")
    assert "Given up" in client.get("/sources/dynos/").content.decode()


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
        for kill in range(6):
            before = world.value("select count(*) from usage_event")
            world.wait_until(
                lambda before=before: world.value("select count(*) from usage_event") > before or done(world)
            )
            world.kill(readers[kill % 2])
            expire(world)
            readers[kill % 2] = world.start("collect", name=f"reader{kill % 2}")
        world.wait_until(lambda: (expire_failed(world), done(world))[1], 90, "every feed to be read to its end")
        ids = sorted(row[0] for row in world.sql("select event_id from usage_event"))
        assert ids == sorted(event["id"] for server in servers for event, _ in server.records)
        assert world.value("select count(*) from usage_quarantinedevent") == 0
        assert all(server.happened["page"] > 50 for server in servers)
    finally:
        for server in servers:
            server.stop()


def done(world: World) -> bool:
    return bool(world.value("select bool_and(cursor = '1000') from usage_feed"))


def expire_failed(world: World) -> None:
    world.sql("update usage_feed set run_after = now() where failures > 0")
