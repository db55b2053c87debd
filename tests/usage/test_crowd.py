"""Two hundred sources at once, shuffled and repeated, over many connections: each event once, and nobody deadlocks."""

import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError, connections

from monitoring import invariants
from tests.usage.factories import Event, closed, gauge, hour, measured, opened, report, source
from usage import intake, pairing, reading, store
from usage.models import Event as Stored
from usage.models import EventKey, Source

pytestmark = pytest.mark.django_db(transaction=True)
SOURCES, CONNECTIONS, EACH, BATCH = 200, 16, 20, 15


def at_once(works: list[Callable[[], Any]], connected: int) -> list[Any]:
    """Do the works over ``connected`` connections; return what each returned, or raise what one raised."""

    def one(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(connected) as pool:
        return list(pool.map(one, works))


def events(number: int) -> list[Event]:
    """What one source says, in many months; resources are shared with its neighbours, and so are event ids."""
    name, found = f"r{number // 4}", []
    for step in range(EACH // 4):
        at, said = step * 200 + number % 4, f"{number}-{step}"
        found += [
            opened(at, f"{name}-{number}", id=f"o{said}", account="acme"),
            closed(at + 1, f"{name}-{number}", id=f"c{said}"),
        ]
        found += [measured(at, "1.5", name, id=f"m{step}"), gauge(at, step, name, meter=f"g{number}", id=f"g{step}")]
    return found


def test_two_hundred_sources_store_each_event_once() -> None:
    """R-09: every source sends all it has twice, in an order of its own, from two clients at a time."""
    crowd = [source(f"s{number}") for number in range(SOURCES)]

    def client(one: Source, seed: int) -> tuple[int, int]:
        order = random.Random(seed).sample(events(int(one.name[1:])), EACH)
        answers = [report(one, order[at : at + BATCH]) for at in range(0, EACH, BATCH)]
        assert all(answer.complete for answer in answers)
        return sum(a.accepted for a in answers), sum(a.duplicate for a in answers)

    works: list[Callable[[], Any]] = [lambda o=one, s=seed: client(o, s) for seed in (1, 2) for one in crowd]  # type: ignore[misc]
    random.Random(3).shuffle(works)
    answers = at_once(works, CONNECTIONS)
    assert (sum(a for a, _ in answers), sum(d for _, d in answers)) == (SOURCES * EACH, SOURCES * EACH)
    assert Stored.objects.count() == EventKey.objects.count() == SOURCES * EACH
    assert len({(e.source_id, e.event_id) for e in Stored.objects.all()}) == SOURCES * EACH
    (stored_once,) = [one for one in invariants.collect() if one.name == "usage/event_stored_once"]
    assert invariants.check(stored_once).holds
    pairing.drain()


def test_a_race_for_the_same_events_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One looks events up, another stores them, the first one's insertion fails: it finds them when it looks again."""
    one, looked, stored = source("dynos"), threading.Event(), threading.Event()
    lost, insert = [], intake._insert

    def slow(cursor: store.Cursor, *more: Any, **named: Any) -> Any:
        if threading.current_thread().name.endswith("_0") and not looked.is_set():
            cursor.execute(b"set transaction isolation level repeatable read")  # what it looks up is from before
            cursor.execute(b"select from usage_eventkey")
            looked.set()
            stored.wait(5)
        try:
            return insert(cursor, *more, **named)
        except intake._Raced:
            lost.append(threading.current_thread().name)
            raise

    def first() -> Any:
        return report(one, [opened(n, f"r{n}") for n in range(5)])

    def second() -> Any:
        looked.wait(5)
        answer = report(one, [opened(n, f"r{n}") for n in range(3, 9)])
        stored.set()
        return answer

    monkeypatch.setattr(intake, "_insert", slow)
    monkeypatch.setattr(intake.locks, "receiving", lambda cursor: hour(1000))  # its statement would fix the snapshot
    slower, faster = at_once([first, second], 2)
    assert (faster.accepted, slower.accepted, slower.duplicate) == (6, 3, 2)
    assert len(lost) == 1 and Stored.objects.count() == 9


def test_unsorted_batches_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: stored in no order, two batches of the same events wait for each other."""
    one, together = source("dynos"), threading.Barrier(2, timeout=10)
    monkeypatch.setattr(intake, "sorted", lambda keys, **how: random.sample(list(keys), len(keys)), raising=False)

    def client(order: list[Event]) -> None:
        batch = reading.read(json.dumps(order).encode())
        with store.writing() as cursor:
            together.wait()
            intake._store(cursor, one, batch.events, hour(0))

    def collide(number: int) -> None:
        said = [opened(n % 500, f"r{n}", id=f"{number}-{n:04}") for n in range(2_000)]
        with suppress(intake._Raced):  # one was done before the other began; try again
            at_once([lambda: client(said), lambda: client(said)], 2)

    with pytest.raises(OperationalError, match="deadlock"):
        for number in range(10):
            collide(number)
