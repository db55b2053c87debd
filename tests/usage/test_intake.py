"""Accepting a batch: each event once and for ever, and an answer for every one."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from core import clock, databases
from core.sql import load
from tests.usage.factories import closed, gauge, hour, measured, opened, report, source, written
from usage import locks, store
from usage.models import Event, EventKey, QuarantinedEvent, Source, Unpaired
from usage.window import Window

pytestmark = pytest.mark.django_db


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos")


def counts(answer: Any) -> tuple[int, int, int, int]:
    return answer.accepted, answer.duplicate, answer.conflict, answer.rejected


class TestSameness:
    def test_the_same_event_again_is_a_duplicate(self, dynos: Source) -> None:
        assert counts(report(dynos, [opened(0)])) == (1, 0, 0, 0)
        assert counts(report(dynos, [opened(0), closed(1)])) == (1, 1, 0, 0)
        assert Event.objects.count() == 2

    def test_another_way_to_write_the_same_is_the_same(self, dynos: Source) -> None:
        report(dynos, [opened(0), measured(1, "1.50")])
        again = [opened(0) | {"time": "2026-10-01T02:00:00.000+02:00"}, measured(1, 1.5)]
        assert counts(report(dynos, again)) == (0, 2, 0, 0)

    @pytest.mark.parametrize(
        "change",
        [
            {"product": "x"},
            {"resource": "r2"},
            {"app": "a"},
            {"account": "b"},
            {"meter": "m"},
            {"component": "web"},
            {"time": "2026-10-01T00:00:00.000001Z"},
        ],
    )
    def test_the_same_id_with_another_body_is_a_conflict_and_is_kept_apart(
        self, dynos: Source, change: dict[str, str]
    ) -> None:
        report(dynos, [opened(0)])
        answer = report(dynos, [opened(0) | change])
        assert counts(answer) == (0, 0, 1, 0)
        assert [(r.index, r.code, r.field) for r in answer.refused] == [(0, "conflict", "id")]
        assert Event.objects.get().product == "standard-1x"
        assert QuarantinedEvent.objects.get().code == "conflict"

    def test_duplicates_and_conflicts_within_one_batch_are_told_apart(self, dynos: Source) -> None:
        other = opened(0) | {"product": "other"}
        assert counts(report(dynos, [opened(0), opened(0), other, opened(0)])) == (1, 2, 1, 0)
        assert counts(report(dynos, [other, opened(0), other])) == (0, 1, 2, 0)

    def test_ten_thousand_times_the_same_is_one(self, dynos: Source) -> None:
        assert counts(report(dynos, [opened(0)] * 10_000)) == (1, 9_999, 0, 0)

    def test_two_sources_may_use_the_same_id(self, dynos: Source) -> None:
        report(dynos, [opened(0)])
        assert counts(report(source("addons"), [opened(0)])) == (1, 0, 0, 0)


class TestWindow:
    def test_is_the_source_s_contract_by_the_database_s_clock(self, dynos: Source) -> None:
        strict = Window(timedelta(days=35), timedelta(seconds=300))
        now = clock.database_now(databases.usage())
        events = [
            opened(0, id=str(offset)) | {"time": written(now + timedelta(seconds=offset)), "resource": str(offset)}
            for offset in (-35 * 86_400 - 5, -35 * 86_400 + 60, 0, 240, 310)
        ]
        answer = report(dynos, events, window=strict)
        assert [(r.index, r.code) for r in answer.refused] == [(0, "too_old"), (4, "in_future")]
        assert counts(answer) == (3, 0, 0, 2)

    def test_follows_the_source(self, dynos: Source) -> None:
        assert Window.of(Source(past_days=7, future_seconds=1)) == Window(timedelta(days=7), timedelta(seconds=1))


class TestQuarantine:
    def test_keeps_what_was_refused_once(self, dynos: Source) -> None:
        for _ in range(3):
            report(dynos, [{"id": "bad", "type": "start"}, opened(0)])
        kept = QuarantinedEvent.objects.get()
        assert (kept.event_id, kept.code, kept.field) == ("bad", "missing_field", "time")
        assert kept.body == '{"id": "bad", "type": "start"}'

    def test_cuts_a_body_that_is_far_too_long(self, dynos: Source) -> None:
        report(dynos, [{"id": "long", "x": "y" * 100_000}])
        assert len(QuarantinedEvent.objects.get().body) == 65_536


class TestAllOrNothing:
    def test_stores_nothing_when_one_is_refused(self, dynos: Source) -> None:
        answer = report(dynos, [opened(0), {}, closed(1)], atomic=True)
        assert counts(answer) == (0, 0, 0, 3)
        assert [r.code for r in answer.refused] == ["batch_refused", "missing_field", "batch_refused"]
        assert not Event.objects.exists() and not QuarantinedEvent.objects.exists()

    def test_stores_all_when_none_is(self, dynos: Source) -> None:
        assert counts(report(dynos, [opened(0), opened(0)], atomic=True)) == (1, 1, 0, 0)


class TestWhatIsStored:
    def test_is_exact(self, dynos: Source) -> None:
        report(dynos, [measured(0.5, "123456789012345678.123456789012", app="a", component="web")])
        event = Event.objects.get()
        assert event.quantity == Decimal("123456789012345678.123456789012")
        assert (event.app, event.component, event.meter) == ("a", "web", "requests")

    def test_rings_for_what_may_change_intervals_or_ownership(self, dynos: Source) -> None:
        report(
            dynos, [opened(0), closed(1), measured(1, 5), measured(2, 5, resource="r9", account="acme"), gauge(1, 0)]
        )
        assert sorted(Unpaired.objects.values_list("event__type", "resource")) == [
            ("close", "r1"), ("gauge", "r1"), ("measured", "r9"), ("open", "r1"),
        ]  # fmt: skip

    def test_says_when_the_source_was_heard_from(self, dynos: Source) -> None:
        report(dynos, [opened(0), opened(9)])
        dynos.refresh_from_db()
        assert dynos.last_event_at and dynos.last_event_at.hour == 9
        assert dynos.last_received_at == Event.objects.first().received_at  # type: ignore[union-attr]


def test_any_split_and_order_of_batches_stores_the_same(dynos: Source) -> None:
    events = [opened(i, resource=f"r{i % 7}") for i in range(40)]
    stored = set()
    for seed in range(3):
        shuffled = random.Random(seed).sample(events * 2, 80)
        with transaction.atomic():
            answers = [report(dynos, shuffled[at : at + 9]) for at in range(0, 80, 9)]
            assert sum(a.accepted for a in answers) == 40 and sum(a.duplicate for a in answers) == 40
            stored.add(tuple(sorted(EventKey.objects.values_list("event_id", "body_hash"))))
            transaction.set_rollback(True)
    assert len(stored) == 1


def test_the_newest_event_of_a_burst_is_known_when_it_is_over(dynos: Source) -> None:
    for at in (1, 2, 30):
        report(Source.objects.get(pk=dynos.pk), [opened(at, f"r{at}")])
    assert Source.objects.get(pk=dynos.pk).last_event_at == hour(30)


def test_what_is_known_is_looked_up_by_key_however_few_there_were_when_it_was_planned(dynos: Source) -> None:
    """The plan is kept by the connection; a scan of all keys would be harmless now and ruinous a million events on."""

    def plan() -> str:
        with store.cursor() as cursor:
            locks.receiving(cursor)
            cursor.execute(b"set local plan_cache_mode = force_generic_plan")
            _, _, look = load("usage", "store_events").partition("with known as materialized (")
            look = look.partition("), incoming")[0].replace("%(source)b", "$1").replace("%(id)b", "$2")
            cursor.execute(f"prepare look (bigint, text[]) as {look}".encode())
            rows = cursor.execute(b"explain (format text) execute look (1, '{a}')").fetchall()
            cursor.execute(b"deallocate look")
        return "\n".join(str(row[0]) for row in rows)

    with store.cursor() as cursor:
        cursor.execute(b"analyze usage_eventkey")
    assert "Index Scan using usage_eventkey_pkey" in plan()
    report(dynos, [opened(0)])
    with store.cursor() as cursor:
        cursor.execute(b"analyze usage_eventkey")
    assert "Index Scan using usage_eventkey_pkey" in plan()
    report(dynos, [opened(0, f"r{n}") for n in range(2_000)])
    assert "Index Scan using usage_eventkey_pkey" in plan()
