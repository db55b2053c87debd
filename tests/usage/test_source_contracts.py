"""A source as a contract: what its secrets may send, what is expected of it and since when it is not kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections, transaction
from django.test import Client

from core import clock, databases
from core.errors import Conflict, Invalid, NotFound
from core.models import AuditEntry
from tests.usage.factories import opened, report, source
from tests.usage.test_manifests import manifest
from tests.usage.test_pages import signed_in, text
from usage import health, sources, watching
from usage.health import Gap
from usage.models import Source
from usage.models.source import HeartbeatHour

pytestmark = pytest.mark.django_db
OLGA = "user:olga@example.com"
NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
AT_ONCE = timedelta(0)


def answers(secret: str) -> dict[str, int]:
    """What a secret is answered at each door."""
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    body = [opened(0, id="o", time=clock.now().isoformat(timespec="seconds"))]
    said = manifest([], {}, 0)
    return {
        "events": client.post("/api/v1/usage/events", body, content_type="application/json").status_code,
        "heartbeats": client.post("/api/v1/usage/heartbeats").status_code,
        "manifests": client.post("/api/v1/usage/manifests", said, content_type="application/json").status_code,
    }


class TestSecrets:
    @pytest.mark.parametrize("scope", ["events", "heartbeats", "manifests"])
    def test_are_good_for_what_they_say_and_nothing_else(self, scope: str) -> None:
        _, secret = sources.create("dynos", actor=OLGA, scopes=[scope])
        found = answers(secret.text)
        assert found.pop(scope) < 300 and set(found.values()) == {403}

    def test_that_may_less_are_made_beside_one_that_may_all(self) -> None:
        made, all_of_it = sources.create("dynos", actor=OLGA)
        less = sources.rotate(made, actor=OLGA, scopes=["events"], overlap=AT_ONCE)
        assert answers(all_of_it.text)["manifests"] < 300 and answers(less.text)["events"] < 300
        again = sources.rotate(made, actor=OLGA, scopes=["events"], overlap=AT_ONCE)
        assert answers(less.text)["events"] == 401 and answers(again.text)["events"] < 300
        every = sources.rotate(made, actor=OLGA, overlap=AT_ONCE)
        assert answers(all_of_it.text)["events"] == answers(again.text)["events"] == 401
        assert set(answers(every.text).values()) <= {200, 201}

    def test_keep_to_what_the_living_ones_may(self) -> None:
        made, _ = sources.create("dynos", actor=OLGA, scopes=["events"])
        sources.rotate(made, actor=OLGA)
        assert made.credentials.latest("pk").scopes == ["events"]

    def test_one_is_taken_away_at_once(self) -> None:
        made, leaked = sources.create("dynos", actor=OLGA)
        good = sources.rotate(made, actor=OLGA)
        for _ in range(2):
            sources.revoke_credential(made, leaked.prefix, actor=OLGA, reason="it was in a log")
        assert answers(leaked.text)["events"] == 401 and answers(good.text)["events"] < 300
        assert AuditEntry.objects.filter(reason="it was in a log").count() == 1
        with pytest.raises(NotFound):
            sources.revoke_credential(made, "nothing", actor=OLGA, reason="x")

    @pytest.mark.parametrize("scopes", [[], ["everything"], ["events", "usage:write"]])
    def test_for_something_unknown_are_refused(self, scopes: list[str]) -> None:
        with pytest.raises(Invalid) as refused:
            sources.create("dynos", actor=OLGA, scopes=scopes)
        assert refused.value.field == "scopes" and not Source.objects.exists()

    def test_say_when_they_were_last_used(self) -> None:
        made, secret = sources.create("dynos", actor=OLGA)
        assert made.credentials.get().last_used_at is None
        answers(secret.text)
        assert made.credentials.get().last_used_at is not None

    @pytest.mark.parametrize("scopes", ["'{}'", "'{everything}'"])
    def test_the_database_refuses_one_for_nothing(self, scopes: str) -> None:
        made = source()
        broken = f"update usage_sourcecredential set scopes = {scopes} where source_id = {made.pk}"
        with pytest.raises(IntegrityError), connections[databases.usage()].cursor() as cursor:
            cursor.execute(broken)

    def test_by_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("create_source", "dynos", "--scopes", "events,heartbeats")
        first = capsys.readouterr().out.strip()
        call_command("create_source", "dynos", "--rotate", "--overlap-hours", "0")
        second = capsys.readouterr().out.strip()
        assert answers(first)["events"] == 401 and answers(second)["events"] < 300
        assert Source.objects.get().credentials.latest("pk").scopes == ["events", "heartbeats"]
        call_command("create_source", "dynos", "--revoke", second[:20])
        assert answers(second)["events"] == 401


class TestContract:
    def test_is_changed_with_its_history(self) -> None:
        made = source()
        for _ in range(2):
            made = sources.change(made, actor=OLGA, reason="they batch now", cadence_seconds=7200, owner="Runtime")
        assert (made.cadence_seconds, made.owner) == (7200, "Runtime")
        entry = AuditEntry.objects.get(reason="they batch now")
        assert entry.before == {"cadence_seconds": 3600, "owner": ""}
        assert watching.changes(made)[0].what.startswith("Cadence seconds: 3600 → 7200")

    @pytest.mark.parametrize(
        "contract",
        [{"cadence_seconds": 0}, {"lateness_seconds": -1}, {"past_days": 3651}, {"future_seconds": 86_401}],
    )
    def test_stays_within_reason(self, contract: dict[str, Any]) -> None:
        with pytest.raises(Invalid) as refused:
            sources.change(source(), actor=OLGA, **contract)
        assert refused.value.field == next(iter(contract))
        with pytest.raises(IntegrityError), transaction.atomic(using=databases.usage()):
            Source.objects.update(**contract)

    def test_the_window_of_times_is_the_source_s_own(self) -> None:
        made, _ = sources.create("dynos", actor=OLGA, past_days=3, future_seconds=0)
        times = [clock.now() - timedelta(days=4), clock.now() - timedelta(days=2), clock.now() + timedelta(minutes=1)]
        said = [opened(0, f"r{n}", id=f"e{n}", time=at.isoformat()) for n, at in enumerate(times)]
        assert [one.code for one in report(made, said, window=None).refused] == ["too_old", "in_future"]

    def test_ends_for_good(self) -> None:
        made, secret = sources.create("dynos", actor=OLGA)
        made = sources.revoke(made, actor=OLGA, reason="switched off")
        assert answers(secret.text)["events"] == 401
        assert health.health(made, NOW) == "revoked"
        for act in (sources.rotate, sources.change):
            with pytest.raises(Conflict):
                act(made, actor=OLGA)
        with pytest.raises(Conflict):
            sources.resume(made, actor=OLGA)


class TestPages:
    def test_change_a_contract(self) -> None:
        made, olga = source(cadence_seconds=90), signed_in("operator")
        form = olga.get("/sources/dynos/change/").context["form"].initial
        answer = olga.post("/sources/dynos/change/", form | {"lateness": 5, "reason": "agreed by mail"})
        made.refresh_from_db()
        assert answer.status_code == 302 and (made.cadence_seconds, made.lateness_seconds) == (90, 300)
        shown = text(olga.get("/sources/dynos/"))
        assert "Lateness seconds: 3600 → 300" in shown and "agreed by mail" in shown
        assert olga.post("/sources/dynos/change/", form | {"lateness": 5, "reason": ""}).status_code == 200

    def test_take_a_secret_away_and_then_the_source(self) -> None:
        made, olga = source(), signed_in("operator")
        page = f"/sources/dynos/secrets/{made.credentials.get().prefix}/revoke/"
        assert "is refused from this moment" in text(olga.get(page))
        assert olga.post(page, {"reason": ""}).status_code == 200
        assert olga.post(page, {"reason": "leaked"}).status_code == 302
        assert made.credentials.get().revoked_at is not None
        assert "cannot be taken back" in text(olga.get("/sources/dynos/revoke/"))
        olga.post("/sources/dynos/revoke/", {"reason": "gone"})
        assert Source.objects.get().state == "revoked" and olga.get("/sources/dynos/").status_code == 200

    def test_show_what_is_in_the_way(self) -> None:
        made, olga = source(cadence_seconds=60, lateness_seconds=60), signed_in("operator")
        report(made, [opened(0), {"id": "bad"}])
        Source.objects.update(
            created_at=clock.now() - timedelta(days=3), last_received_at=clock.now() - timedelta(hours=1)
        )
        shown = text(olga.get("/sources/dynos/"))
        assert "Silent since" in shown and "Metering is broken" in shown and "expected every 1 min" in shown
        assert "Neither an event nor a heartbeat" in shown and "In quarantine" in shown
        assert "Silent since" in text(olga.get("/sources/"))


class TestHealth:
    def one(self, heard: timedelta | None, **more: Any) -> Source:
        at = None if heard is None else NOW - heard
        told = {"state": "active", "cadence_seconds": 3600, "lateness_seconds": 1800, "last_heartbeat_at": at}
        return Source(**({"created_at": NOW - timedelta(days=9)} | told | more))

    @pytest.mark.parametrize(
        ("one", "words"),
        [
            ((timedelta(minutes=5), {}), "last heard 24 Nov 2026 12:25 UTC; expected every 1 h"),
            ((timedelta(minutes=70), {}), "Late since 24 Nov 2026 12:20 UTC"),
            ((timedelta(minutes=70), {}), "Silent from 24 Nov 2026 12:50 UTC on"),
            (
                (timedelta(minutes=100), {}),
                "Silent since 24 Nov 2026 12:20 UTC: expected every 1 h, at most 30 min late",
            ),
            ((None, {}), "never heard since it was made"),
            ((None, {"created_at": NOW}), "first word is due by 24 Nov 2026 13:30 UTC"),
            ((None, {"state": "paused"}), "refused until it is resumed"),
            ((None, {"state": "revoked"}), "nothing more is expected"),
        ],
    )
    def test_is_explained(self, one: tuple[timedelta | None, dict[str, Any]], words: str) -> None:
        assert words in health.explained(self.one(one[0], **one[1]), NOW)

    @pytest.mark.parametrize(
        ("cadence", "expected"),
        [(3600, [Gap(NOW - timedelta(hours=4.5), NOW - timedelta(hours=2.5))]), (7200, 1), (10_800, 0)],
    )
    def test_a_gap_is_as_long_as_the_cadence(self, cadence: int, expected: Any) -> None:
        start = NOW.replace(minute=0) - timedelta(hours=5)
        heard = [(start + timedelta(hours=n), n in (0, 3, 4)) for n in range(6)]  # 1 and 2 empty, 5 is running
        found = health.gaps(heard, self.one(None, cadence_seconds=cadence), NOW)
        if isinstance(expected, int):
            assert len(found) == expected
        else:
            assert found == [Gap(start + timedelta(hours=1), start + timedelta(hours=3))]

    def test_before_it_was_made_it_owed_nothing(self) -> None:
        heard = [(NOW.replace(minute=0) - timedelta(hours=n), False) for n in range(5, 0, -1)]
        assert health.gaps(heard, self.one(None, created_at=NOW), NOW) == []


class TestWatching:
    def test_a_heartbeat_fills_its_hour(self) -> None:
        made = source()
        for _ in range(2):
            sources.heartbeat(made)
        assert HeartbeatHour.objects.get().beats == 2
        last = watching.hours(made, now=clock.now())[-1]
        assert (last.heartbeats, last.events, last.heard) == (2, 0, True)

    def test_each_request_is_a_batch(self) -> None:
        made = source()
        report(made, [opened(0), opened(1, "r2")])
        report(made, [opened(2, "r3")])
        made.refresh_from_db()
        assert [batch.events for batch in watching.batches(made, most=20)] == [1, 2]
        assert watching.batches(source("quiet"), most=20) == []

    def test_nothing_is_expected_of_a_source_without_a_secret(self) -> None:
        Source.objects.create(name="ours")
        source("theirs")
        assert [one.source.name for one in watching.pulses(now=clock.now())] == ["theirs"]
        later = clock.now() + timedelta(days=9)
        found = {one.source.name: one.health for one in watching.sources(now=later)}
        assert found == {"ours": "internal", "theirs": "silent"}
        sources.revoke(Source.objects.get(name="theirs"), actor=OLGA, reason="x")
        assert watching.pulses(now=clock.now()) == []
