"""Pairing reads only what changed: the same outcome as from scratch, at a cost that history does not raise."""

import random
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from core.sql import load
from tests.usage.factories import Event, amended, closed, gauge, hour, measured, opened, report, reverted, source
from tests.usage.test_pairing_rules import HORIZON
from usage import effective, locks, ownership_rows, pairing, pairing_rows, store
from usage.models import Amendment, Interval, Ownership, PairingProblem, Source, Unpaired
from usage.pairing_rules import Pairing, Signal, pair

pytestmark = pytest.mark.django_db
EVERYTHING = "select resource, meter, product, time, type, source_id, event_id, id, component, app, quantity"
COUNTING = f"{EVERYTHING} from usage_event e where type <> 'measured' and {{effective}}"


@pytest.fixture
def disks(db: None) -> Source:
    return source("disks")


def from_scratch() -> Pairing:
    """Pair everything that counts at once."""
    statement = COUNTING.replace("{effective}", load("usage", "effective"))
    with store.cursor() as cursor:
        rows = cursor.execute(statement.encode(), {"cutoff": effective.NOW}).fetchall()
    return pair(
        Signal(
            resource, meter, product, time, kind, (source, name), key, component, app, level or Decimal(kind != "gauge")
        )
        for resource, meter, product, time, kind, source, name, key, component, app, level in rows
    )


def assert_as_from_scratch() -> None:
    wanted = from_scratch()
    columns = ("resource", "meter", "product", "level", "opened", "closed", "open_event_id", "close_event_id")
    assert set(Interval.objects.filter(superseded_at=None).values_list(*columns)) == {
        (o.resource, o.meter, o.product, o.level, o.time, c and c.time, o.key, c and c.key) for o, c in wanted.intervals
    }
    problems = PairingProblem.objects.values_list("event_id", "kind", "resource", "meter", "product", "type", "at")
    assert set(problems) == {
        (s.key, kind, s.resource, s.meter, s.product, s.type, s.time) for s, kind in wanted.problems
    }


def owners_from_scratch() -> None:
    """Assert that deriving all owners anew changes none."""
    before = sorted(Ownership.objects.values_list("id", "superseded_at"))
    with store.writing() as cursor:
        now = locks.history(cursor)
        ownership_rows.rewrite(cursor, ["r1", "r2"], now)
    assert sorted(Ownership.objects.values_list("id", "superseded_at")) == before


def random_event(chance: random.Random, name: str) -> Event:
    at, resource = chance.randrange(HORIZON - 10), chance.choice(["r1", "r1", "r2"])
    more: dict[str, Any] = {"id": name, "product": chance.choice(["p", "q"]), "meter": chance.choice(["m", "m", "n"])}
    more |= {"account": chance.choice("ab")} if chance.random() < 0.2 else {}
    more |= {"app": chance.choice("xy")} if chance.random() < 0.2 else {}
    kind: str = chance.choice(["open", "close", "gauge", "gauge", "measured"])
    if kind in ("gauge", "measured"):
        make: Callable[..., Event] = gauge if kind == "gauge" else measured
        return make(at, chance.randrange(3), resource, **more)
    return (opened if kind == "open" else closed)(at, resource, **more)


@pytest.mark.parametrize("seed", range(60))
def test_any_order_and_batching_is_as_from_scratch(disks: Source, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(pairing_rows, "FIRST", chance.choice([1, 2, 5, 64]))
    monkeypatch.setattr(pairing_rows, "GROWTH", chance.choice([1, 2]))
    monkeypatch.setattr(pairing, "BATCH", chance.choice([1, 3, 100]))
    standing: list[Amendment] = []
    for step in range(8):
        report(disks, [random_event(chance, f"s{step}-{n}") for n in range(chance.randrange(8))])
        if chance.random() < 0.3:
            start, end = sorted(chance.sample(range(HORIZON), 2))
            said = [random_event(chance, f"a{step}-{n}") | {"resource": "r1"} for n in range(chance.randrange(4))]
            said = [event for event in said if hour(start) <= _time(event) < hour(end)]
            standing.append(amended(disks, start, end, said, "r1", chance.choice(["", "m"])))
        elif standing and chance.random() < 0.4:
            reverted(standing.pop(chance.randrange(len(standing))))
        if chance.random() < 0.7 or step == 7:
            pairing.drain()
            assert not Unpaired.objects.exists()
            assert_as_from_scratch()
            owners_from_scratch()


def _time(event: Event) -> datetime:
    return datetime.fromisoformat(event["time"])


def test_a_sample_costs_the_same_after_many(disks: Source) -> None:
    """What is read anew is what follows the change until the strand is as it was believed, and not its history."""
    for start in range(0, 1200, 300):
        report(disks, [gauge(at / 60, at % 7 + 1) for at in range(start, start + 300)])
        pairing.drain()
    for minute, most in ((1199, 1), (600, pairing_rows.FIRST), (0, pairing_rows.FIRST)):
        with store.writing() as cursor:
            changed = pairing_rows.Change("r1", "storage", hour(minute / 60), hour(minute / 60))
            assert len(pairing_rows.rewrite(cursor, [changed], locks.history(cursor))) == most
    assert Interval.objects.filter(superseded_at=None).count() == 1200
