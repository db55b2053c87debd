"""Doubtful opens, closes and intervals: each has its probable cause, and remedies mend many at once as one batch."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from core import clock
from tests.usage.factories import closed, hour, opened, report, settled, source
from usage import amending, causes, doubts, remedies
from usage.amending import Amending
from usage.causes import Signs
from usage.doubts import Doubt
from usage.models import Amendment, Interval, PairingProblem, Source

NOW = hour(24 * 54)
OLGA = "user:olga@example.com"


class TestACause:
    @pytest.mark.parametrize(
        ("signs", "code"),
        [
            ({"kind": "orphan_close", "refused": True, "health": "silent"}, "quarantined"),
            ({"kind": "orphan_close", "health": "silent"}, "source_silent"),
            ({"kind": "old_open", "health": "paused"}, "source_stopped"),
            ({"kind": "old_open", "health": "healthy", "disowned_at": NOW}, "disowned"),
            ({"kind": "old_open", "health": "healthy"}, "runs"),
            ({"kind": "orphan_close", "at": NOW, "lateness": timedelta(hours=1)}, "may_be_late"),
            ({"kind": "orphan_close"}, "open_lost"),
            ({"kind": "double_open"}, "close_lost"),
            ({"kind": "double_open", "since": hour(-0.01)}, "repeated"),
            ({"kind": "overlap"}, "close_lost"),
            ({"kind": "empty", "health": "silent"}, "nothing_used"),
            ({"kind": "mixed"}, "two_ways"),
            ({"kind": "over_long"}, "close_lost"),
        ],
    )
    def test_is_what_can_be_looked_up_before_what_is_guessed(self, signs: dict[str, Any], code: str) -> None:
        found = causes.cause(Signs(**({"at": hour(0), "seen_at": hour(0)} | signs)), NOW)
        assert found.code == code and found.title and found.sentence.endswith(".")


@pytest.fixture
def dynos(db: None) -> Source:
    return source()


def now() -> Any:
    return clock.database_now()


def listed() -> dict[str, Doubt]:
    return {f"{doubt.kind} {doubt.resource} {doubt.type}": doubt for doubt in doubts.problems(now())}


def remedied(found: list[Doubt], remedy: str, at: Any = None) -> remedies.Plan:
    """Carry a remedy out."""
    plan = remedies.plan(found, remedy, at=at, now=now())
    if plan.changes:
        amending.carry_out(Amending(plan.corrections(), "mend"), actor=OLGA)
    return plan


def spans(resource: str) -> list[tuple[str, Any, Any]]:
    believed = Interval.objects.filter(resource=resource, superseded_at=None).order_by("opened", "product")
    return list(believed.values_list("product", "opened", "closed"))


class TestARemedy:
    def test_leaves_orphans_and_repeated_opens_out(self, dynos: Source) -> None:
        settled(dynos, [closed(5, "a"), opened(0, "b"), opened(2, "b", id="again"), closed(9, "b"), opened(1, "c"),
                        closed(1, "c")])  # fmt: skip
        plan = remedied(list(listed().values()), remedies.DROP)
        assert len(plan.remedied) == 4 and not plan.skipped
        assert not PairingProblem.objects.exists()
        assert spans("b") == [("standard-1x", hour(0), hour(9))]
        assert Amendment.objects.values("batch").distinct().count() == 1

    def test_is_taken_back_as_one(self, dynos: Source) -> None:
        settled(dynos, [closed(5, "a"), opened(0, "b"), opened(2, "b", id="again")])
        before = set(PairingProblem.objects.values_list("resource", "kind"))
        remedied(list(listed().values()), remedies.DROP)
        ids = list(Amendment.objects.values_list("pk", flat=True))
        amending.carry_out(amending.Reverting(ids, "no"), actor=OLGA)
        assert set(PairingProblem.objects.values_list("resource", "kind")) == before

    def test_closes_what_ran_before_a_repeated_open(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "b"), opened(2, "b", id="again"), closed(9, "b")])
        remedied(list(listed().values()), remedies.CLOSE_BEFORE)
        assert spans("b") == [("standard-1x", hour(0), hour(2)), ("standard-1x", hour(2), hour(9))]

    def test_ends_the_earlier_product_when_another_opened(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "b"), opened(2, "b", "standard-2x"), closed(6, "b", "standard-2x"), closed(9, "b")])
        found = listed()
        assert set(found) == {"overlap b open", "overlap b close"}
        plan = remedied(list(found.values()), remedies.CLOSE_BEFORE)
        assert [why for _, why in plan.skipped] == ["Nothing else was running at that moment."]
        assert spans("b") == [("standard-1x", hour(0), hour(2)), ("standard-2x", hour(2), hour(6))]
        assert not PairingProblem.objects.exists()

    def test_opens_for_an_orphan_close(self, dynos: Source) -> None:
        settled(dynos, [closed(5, "a"), closed(1, "b")])
        plan = remedied(list(listed().values()), remedies.OPEN_AT, hour(2))
        assert [doubt.resource for doubt in plan.remedied] == ["a"] and "not later" in plan.skipped[0][1]
        assert spans("a") == [("standard-1x", hour(2), hour(5))]

    def test_closes_what_has_run_for_long(self, dynos: Source, settings: Any) -> None:
        settings.USAGE_OLD_DAYS = 10
        settled(dynos, [opened(0, "a"), opened(1, "b"), opened(500, "new")])
        Source.objects.update(last_heartbeat_at=hour(300), last_received_at=hour(200))
        found = doubts.intervals(now(), running=True)
        assert [doubt.resource for doubt in found] == ["a", "b", "new"] and doubts.count("open", now()) == 3
        plan = remedied(found, remedies.CLOSE_LAST_HEARD)
        assert [doubt.resource for doubt in plan.remedied] == ["a", "b"] and "not earlier" in plan.skipped[0][1]
        assert spans("a") == [("standard-1x", hour(0), hour(300))]

    def test_shortens_what_ran_for_too_long(self, dynos: Source, settings: Any) -> None:
        settings.USAGE_LONG_DAYS = 35
        settled(dynos, [opened(0, "a"), closed(24 * 40, "a"), opened(0, "b"), closed(24 * 34, "b")])
        (long,) = doubts.intervals(now(), running=False)
        assert long.kind == "over_long" and doubts.count("long", now()) == 1
        remedied([long], remedies.CLOSE_AT, hour(24))
        assert spans("a") == [("standard-1x", hour(0), hour(24))] and not PairingProblem.objects.exists()

    def test_keeps_what_else_happened_at_that_instant(self, dynos: Source) -> None:
        settled(dynos, [closed(5, "a"), opened(5, "a", "standard-2x", component="web", account="acme"), closed(7, "a",
                        "standard-2x")])  # fmt: skip
        remedied([listed()["orphan_close a close"]], remedies.DROP)
        assert spans("a") == [("standard-2x", hour(5), hour(7))]
        assert Interval.objects.get(superseded_at=None).component == "web"

    def test_is_refused_where_it_makes_no_sense(self, dynos: Source) -> None:
        settled(dynos, [closed(5, "a")])
        found = list(listed().values())
        assert remedies.plan(found, remedies.CLOSE_BEFORE, at=None, now=now()).skipped
        for remedy, field in (("pray", "remedy"), (remedies.OPEN_AT, "at")):
            with pytest.raises(amending.Invalid) as caught:
                remedies.plan(found, remedy, at=None, now=now())
            assert caught.value.field == field


def test_groups_count_by_cause(dynos: Source) -> None:
    settled(dynos, [closed(5, "a"), closed(6, "b"), opened(0, "c"), opened(2, "c", id="again")])
    Source.objects.update(last_received_at=F("created_at"), cadence_seconds=86400)
    report(dynos, [{"id": "x", "type": "open", "resource": "b", "product": "standard-1x"}])
    found = doubts.problems(now())
    assert {code: count for code, _, count in doubts.by_cause(found)} == {
        "quarantined": 1,
        "open_lost": 1,
        "close_lost": 1,
    }
    assert [doubt.key for doubt in doubts.chosen([found[0].key, "nonsense", "i99"], now())] == [found[0].key]
