"""Folding beside intake: every event is counted once, whoever races; and what would go wrong without the lock."""

import random
import threading
from typing import Any

import pytest

from core import clock, databases
from core.periods import Span
from monitoring import invariants
from tests.usage.factories import hour, measured, opened, report, source
from tests.usage.test_at_once import at_once
from usage import amending, hour_totals, locks, quarantine
from usage.models import Event, HourTotal, Source
from usage.reported import ReportedEvent

pytestmark = pytest.mark.django_db(transaction=True)


def counted(one: Source) -> int:
    return sum(row.sums.events for row in hour_totals.received(Span(hour(0), hour(48)), [one.pk]))


def test_four_clients_report_while_two_fold() -> None:
    dynos = source("dynos")
    done = threading.Event()

    def client(seed: int) -> None:
        order = random.Random(seed).sample([measured(n % 48, 1, f"r{n}") for n in range(400)], 400)
        for at in range(0, 400, 40):
            report(dynos, order[at : at + 40])

    def reporting() -> None:
        try:
            at_once(*(lambda seed=seed: client(seed) for seed in range(4)))
        finally:
            done.set()

    def folding() -> None:
        while not done.is_set():
            hour_totals.fold()
            assert counted(dynos) <= 400

    at_once(reporting, folding, folding)
    assert counted(dynos) == Event.objects.count() == 400
    hour_totals.fold()
    assert sum(total.measured for total in HourTotal.objects.all()) == 400
    check = next(one for one in invariants.collect() if one.name == "usage/hour_totals_are_what_was_received")
    assert invariants.check(check).holds


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Stop the next intake between storing its events and committing them: (it is there, it may go on)."""
    there, go = threading.Event(), threading.Event()
    keep = quarantine.keep

    def waiting(*args: Any) -> None:
        there.set()
        go.wait(10)
        keep(*args)

    monkeypatch.setattr(quarantine, "keep", waiting)
    return there, go


def beside(intake: Any, work: Any) -> None:
    threads = [threading.Thread(target=lambda one=one: at_once(one)) for one in (intake, work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_a_fold_waits_for_what_was_stamped_before_it(held: tuple[threading.Event, threading.Event]) -> None:
    dynos, (there, go) = source("dynos"), held

    def fold() -> None:
        there.wait(10)
        threading.Timer(0.3, go.set).start()
        hour_totals.fold()

    beside(lambda: report(dynos, [measured(1, 1)]), fold)
    assert (counted(dynos), HourTotal.objects.count()) == (1, 1)


def test_a_fold_waits_for_a_correction_that_was_stamped_before_it() -> None:
    """A correction shuts intake out for a moment only, and is committed long after the moment it is stamped with."""
    dynos, there, go = source("dynos"), threading.Event(), threading.Event()
    report(dynos, [opened(1)])
    instead = ReportedEvent(0, "", "close", hour(3), "r1", "standard-1x", "duration", "", "", "", None)
    correction = amending.Amending([amending.Correction("r1", hour(2), hour(4), [instead])], "Its close was lost.")

    def agree(made: amending.Made) -> None:
        there.set()
        go.wait(10)

    def fold() -> None:
        there.wait(10)
        threading.Timer(0.3, go.set).start()
        hour_totals.fold()

    beside(lambda: amending.carry_out(correction, actor="user:olga", agree=agree), fold)
    hour_totals.fold()
    assert sum(total.closes for total in HourTotal.objects.all()) == 1
    check = next(one for one in invariants.collect() if one.name == "usage/hour_totals_are_what_was_received")
    assert invariants.check(check).holds


def test_without_the_lock_it_would_lose_it(
    held: tuple[threading.Event, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    dynos, (there, go) = source("dynos"), held
    monkeypatch.setattr(locks, "no_receiving", lambda cursor: clock.database_now(databases.usage()))

    def fold() -> None:
        there.wait(10)
        hour_totals.fold()
        go.set()

    beside(lambda: report(dynos, [measured(1, 1)]), fold)
    assert (counted(dynos), Event.objects.count()) == (0, 1)
