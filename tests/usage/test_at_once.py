"""Many at once: whoever races, an event is stored once, and a cut-off has nothing added to it."""

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError, connections

from core.errors import Conflict
from core.periods import Month
from tests.usage.factories import closed, hour, opened, report, source
from usage import cutoff, deciding, intake, locks, metering, ownerships, pairing, reading, store
from usage.models import Event, Interval, Ownership, QuarantinedEvent, Source, Unpaired

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 8


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run each work in a thread with connections of its own; return what each returned, or raise what one raised."""

    def one(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def test_eight_clients_send_the_same_events_shuffled() -> None:
    """R-09: each is stored once, every client is told the truth, and nobody deadlocks."""
    dynos = source("dynos")
    events = [opened(n % 500, f"r{n}", account="acme", app="shop") for n in range(600)]

    def client(seed: int) -> tuple[int, int]:
        order = random.Random(seed).sample(events * 2, 1200)
        answers = [report(dynos, order[at : at + 150]) for at in range(0, 1200, 150)]
        return sum(a.accepted for a in answers), sum(a.duplicate for a in answers)

    outcomes = at_once(*(lambda seed=seed: client(seed) for seed in range(CLIENTS)))
    assert Event.objects.count() == 600
    assert sum(accepted for accepted, _ in outcomes) == 600
    assert sum(duplicate for _, duplicate in outcomes) == 1200 * CLIENTS - 600


def test_without_an_order_two_clients_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: batches that are not stored in one order wait for each other for ever."""
    dynos = source("dynos")
    together = threading.Barrier(2, timeout=5)

    def client(names: list[str]) -> None:
        with store.writing() as cursor:
            for name in names:
                batch = reading.read(json.dumps([opened(0, name)]).encode())
                intake._store(cursor, dynos, batch.events, hour(0))
                if name == names[0]:
                    together.wait()

    with pytest.raises(OperationalError, match="deadlock"):
        at_once(lambda: client(["a", "b"]), lambda: client(["b", "a"]))


def test_the_same_id_with_two_bodies_at_once_keeps_one() -> None:
    dynos = source("dynos")
    answers = at_once(*(lambda n=n: report(dynos, [opened(0, id="x", product=f"p{n}")]) for n in range(CLIENTS)))
    assert sorted(a.accepted for a in answers) == [0] * (CLIENTS - 1) + [1]
    assert sum(a.conflict for a in answers) == CLIENTS - 1


def test_intake_pairing_and_transfers_leave_one_truth() -> None:
    dynos = source("dynos")

    def reporter(number: int) -> None:
        for step in range(10):
            names = [f"r{number}-{step}-{n}" for n in range(20)]
            report(dynos, [opened(step, name, account="acme", app=f"app{number}") for name in names])
            report(dynos, [closed(step + 1, name) for name in names])

    works: list[Callable[[], Any]] = [lambda n=n: reporter(n) for n in range(3)]  # type: ignore[misc]
    works += [lambda: [pairing.drain() for _ in range(20)], lambda: [pairing.drain() for _ in range(20)]]
    works += [lambda: [cutoff.freeze() for _ in range(5)]]
    at_once(*works)
    pairing.drain()
    assert not Unpaired.objects.exists()
    believed = Interval.objects.filter(superseded_at=None)
    assert believed.count() == believed.filter(closed__isnull=False).count() == 600
    assert Ownership.objects.filter(superseded_at=None).count() == 600


def test_one_transfer_asked_for_by_many_happens_once() -> None:
    dynos = source("dynos")
    report(dynos, [opened(0, f"r{n}", account="acme", app="shop") for n in range(5)])
    answers = at_once(
        *(
            lambda: ownerships.transfer(app="shop", giver="acme", taker="bob", at=hour(5), by="x")
            for _ in range(CLIENTS)
        )
    )
    assert {moved for _, moved in answers} == {5}
    assert Ownership.objects.filter(account="bob").count() == 5


def test_two_people_who_mend_one_event_store_one() -> None:
    """Each mends it under an id of their own, so that nothing but the decision keeps the second one out."""
    dynos = source("dynos")
    report(dynos, [opened(0) | {"type": "opened"}])
    entry = QuarantinedEvent.objects.get()

    def mend(name: str) -> str:
        body = json.dumps(opened(0, name, id=f"mended-by-{name}"))
        try:
            deciding.replay(entry.pk, body=body, actor=f"user:{name}@example.com")
        except Conflict as refused:
            return str(refused)
        return "taken in"

    def hold_intake() -> None:
        with store.writing() as cursor:
            locks.no_receiving(cursor)
            time.sleep(1)

    _, *told = at_once(hold_intake, lambda: mend("ada"), lambda: mend("bob"))
    assert Event.objects.count() == 1
    assert sorted(word.split()[0] for word in told) == ["This", "taken"]
    entry.refresh_from_db()
    assert Event.objects.get().event_id == f"mended-by-{entry.decided_by[5:8]}"


class TestFreeze:
    """A batch that was stamped before the cut-off but commits after it would change a bill that was drawn up."""

    def slow_intake(self, dynos: Source, stamped: threading.Event, frozen: threading.Event) -> None:
        """An intake that hangs between stamping its event and committing it."""
        with store.writing() as cursor:
            now = locks.receiving(cursor)
            batch = reading.read(json.dumps([opened(0, "late", account="acme")]).encode())
            intake._store(cursor, dynos, batch.events, now)
            stamped.set()
            frozen.wait(1.5)

    def test_waits_for_intake_that_is_under_way(self) -> None:
        dynos, stamped, frozen = source("dynos"), threading.Event(), threading.Event()

        def close_month() -> datetime:
            stamped.wait(5)
            at = cutoff.freeze()
            frozen.set()
            return at

        _, at = at_once(lambda: self.slow_intake(dynos, stamped, frozen), close_month)
        first = list(metering.account_usage(["acme"], [Month(2026, 10).span], cutoff=at))
        pairing.drain()
        assert Event.objects.filter(received_at__lte=at).count() == 1
        assert first == list(metering.account_usage(["acme"], [Month(2026, 10).span], cutoff=at)) != []

    def test_without_its_lock_would_miss_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The negative control: the same race, with the lock that freeze takes alone left out."""
        monkeypatch.setattr(locks, "no_receiving", locks.receiving)
        dynos, stamped, frozen = source("dynos"), threading.Event(), threading.Event()

        def close_month() -> tuple[datetime, int]:
            stamped.wait(5)
            at = cutoff.freeze()
            seen = Event.objects.filter(received_at__lte=at).count()
            frozen.set()
            return at, seen

        _, (at, seen) = at_once(lambda: self.slow_intake(dynos, stamped, frozen), close_month)
        assert (seen, Event.objects.filter(received_at__lte=at).count()) == (0, 1)

    def test_under_fire_never_has_anything_added_before_it(self) -> None:
        dynos = source("dynos")
        stop = time.monotonic() + 2

        def fire(number: int) -> None:
            step = 0
            while time.monotonic() < stop:
                step += 1
                report(dynos, [opened(0, f"{number}-{step}-{n}", account="acme") for n in range(5)])

        def freeze() -> list[tuple[datetime, int]]:
            seen = []
            while time.monotonic() < stop:
                at = cutoff.freeze()
                seen.append((at, Event.objects.filter(received_at__lte=at).count()))
            return seen

        outcomes = at_once(*(lambda n=n: fire(n) for n in range(3)), freeze)
        cuts = outcomes[-1]
        assert len(cuts) > 3
        assert [Event.objects.filter(received_at__lte=at).count() for at, _ in cuts] == [seen for _, seen in cuts]
