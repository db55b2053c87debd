"""Pairing in the database: any order of arrival believes the same, and what was believed before stays readable."""

import random

import pytest
from django.db import transaction

from tests.usage.factories import closed, hour, measured, opened, report, settled, source
from usage import pairing
from usage.models import Interval, Ownership, PairingProblem, Source, Unpaired

pytestmark = pytest.mark.django_db
Row = tuple[object, ...]


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos")


def believed() -> list[Row]:
    rows = Interval.objects.filter(superseded_at=None).values_list("resource", "product", "opened", "closed")
    return sorted(rows, key=str)


def owned() -> list[Row]:
    rows = Ownership.objects.filter(superseded_at=None)
    return sorted(rows.values_list("reference", "resource", "account", "start", "end"), key=str)


class TestIntervals:
    def test_an_open_runs_until_its_close_arrives(self, dynos: Source) -> None:
        settled(dynos, [opened(0, component="web", app="shop")])
        assert believed() == [("r1", "standard-1x", hour(0), None)]
        settled(dynos, [closed(5)])
        assert believed() == [("r1", "standard-1x", hour(0), hour(5))]
        first, second = Interval.objects.order_by("id")
        assert first.superseded_at == second.recorded_at
        assert (second.component, second.app) == ("web", "shop")

    def test_a_close_that_came_first_waits_as_a_problem(self, dynos: Source) -> None:
        settled(dynos, [closed(5)])
        assert list(PairingProblem.objects.values_list("kind", flat=True)) == ["orphan_close"]
        settled(dynos, [opened(0)])
        assert believed() == [("r1", "standard-1x", hour(0), hour(5))]
        assert not PairingProblem.objects.exists()

    def test_a_problem_that_turns_into_another_keeps_one_row(self, dynos: Source) -> None:
        settled(dynos, [closed(5)])
        settled(dynos, [opened(5)])
        assert sorted(PairingProblem.objects.values_list("kind", flat=True)) == ["empty", "empty"]

    def test_a_repeat_changes_nothing(self, dynos: Source) -> None:
        settled(dynos, [opened(0), closed(5), opened(7)])
        before = Interval.objects.count()
        settled(dynos, [opened(0), closed(5), opened(7)])
        assert pairing.drain() == 0
        assert Interval.objects.count() == before
        assert not Unpaired.objects.exists()

    def test_two_meters_of_a_resource_do_not_disturb_each_other(self, dynos: Source) -> None:
        settled(dynos, [opened(0), opened(1, product="disk", meter="storage")])
        assert len(believed()) == 2 and not PairingProblem.objects.exists()


class TestAnyOrder:
    def test_of_arrival_believes_the_same(self, dynos: Source) -> None:
        events = [
            opened(0, account="acme", app="shop"), closed(5), opened(5, product="standard-2x"),
            closed(9, product="standard-2x"), closed(9), opened(12), opened(13), closed(20),
            opened(2, resource="r2", account="bob", app="blog"), closed(3, resource="r2"),
            opened(4, resource="r2", product="x", account="eve", app="blog"),
            measured(1, 3, resource="r3", account="acme"), measured(4, 3, resource="r3", account="bob"),
        ]  # fmt: skip
        outcomes = set()
        for seed in range(8):
            order = random.Random(seed).sample(events, len(events))
            with transaction.atomic():
                while order:
                    chunk, order = order[: seed % 4 + 1], order[seed % 4 + 1 :]
                    report(dynos, chunk)
                    if seed % 2 or not order:
                        pairing.drain()
                problems = sorted(PairingProblem.objects.values_list("event__event_id", "kind"))
                outcomes.add((tuple(believed()), tuple(owned()), tuple(problems)))
                transaction.set_rollback(True)
        assert len(outcomes) == 1
        assert [row[2:] for row in owned() or next(iter(outcomes))[1]] == [
            ("acme", hour(0), None), ("bob", hour(2), None), ("acme", hour(1), None),
        ]  # fmt: skip


class TestImpliedOwnership:
    def test_begins_with_the_earliest_open_that_names_an_account(self, dynos: Source) -> None:
        settled(dynos, [opened(5, account="acme", app="shop")])
        assert owned() == [("open:r1", "r1", "acme", hour(5), None)]
        settled(dynos, [opened(2, account="acme"), closed(3)])
        assert owned() == [("open:r1", "r1", "acme", hour(2), None)]
        assert Ownership.objects.count() == 2, "what was believed before stays readable"

    def test_is_not_changed_by_a_later_open(self, dynos: Source) -> None:
        settled(dynos, [opened(0, account="acme"), closed(5), opened(6, account="bob")])
        assert owned() == [("open:r1", "r1", "acme", hour(0), None)]


def test_batches_of_pairing_are_small_transactions(dynos: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "BATCH", 3)
    report(dynos, [opened(i, resource=f"r{i}") for i in range(10)])
    report(dynos, [closed(i + 1, resource=f"r{i}") for i in range(10)])
    assert pairing.drain(limit=3) == 3
    assert Interval.objects.filter(superseded_at=None).count() == 3
    pairing.drain()
    assert Interval.objects.filter(superseded_at=None, closed__isnull=False).count() == 10
