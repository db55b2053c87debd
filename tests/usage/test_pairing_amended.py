"""What an amendment does to usage, as known before it, while it stands and after it was taken back."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pytest

from core.periods import Month, Span
from tests.usage.factories import Event, amended, closed, hour, measured, opened, report, reverted, settled, source
from tests.usage.test_metering import model
from usage import completeness, cutoff, metering, ownerships
from usage.models import Amendment, Interval, Ownership, PairingProblem, Source
from usage.ownerships import Statement

pytestmark = pytest.mark.django_db
OCTOBER = Month(2026, 10).span
HOUR = Decimal(3600)
KINDS: tuple[Callable[..., Event], ...] = (opened, closed, measured)


@pytest.fixture
def dynos(db: None) -> Source:
    made = source("dynos")
    ownerships.state(Statement("r1", "acme", "r1", "", hour(-100), None), by="test")
    return made


def used(at: datetime | None = None, *spans: Span) -> list[metering.UsageRow]:
    return list(metering.account_usage(["acme"], spans or [OCTOBER], cutoff=at or cutoff.freeze()))


def amounts(at: datetime | None = None) -> dict[str, Decimal]:
    return {row.product: row.seconds_or_quantity for row in used(at)}


class TestOpensAndCloses:
    def test_give_way_and_come_back(self, dynos: Source) -> None:
        settled(dynos, [opened(0), closed(10)])
        before, known = cutoff.freeze(), used()
        one = amended(dynos, 9, 11, [closed(9, id="a1")])
        between = cutoff.freeze()
        assert amounts() == {"standard-1x": 9 * HOUR}
        reverted(one)
        assert used() == known, "the very same, hash included"
        assert (used(before), amounts(between)) == (known, {"standard-1x": 9 * HOUR})

    def test_of_an_amendment_give_way_to_a_later_one(self, dynos: Source) -> None:
        settled(dynos, [opened(0), closed(10)])
        first = amended(dynos, 9, 11, [closed(9, id="a1")])
        second = amended(dynos, 8, 10, [closed(8, id="a2")])
        assert amounts() == {"standard-1x": 8 * HOUR}, "the source's close at 10 lies outside the second, not the first"
        reverted(first)
        assert amounts() == {"standard-1x": 8 * HOUR}
        assert list(PairingProblem.objects.values_list("event__event_id", flat=True)) == ["close-r1-standard-1x-10"]
        reverted(second)
        assert amounts() == {"standard-1x": 10 * HOUR}

    def test_that_arrive_later_are_new_facts(self, dynos: Source) -> None:
        settled(dynos, [opened(0)])
        amended(dynos, 0, 20, [opened(1, id="a1")])
        settled(dynos, [closed(5)])
        assert amounts() == {"standard-1x": 4 * HOUR}

    def test_that_give_way_are_no_problem_and_in_no_interval(self, dynos: Source) -> None:
        settled(dynos, [closed(5), opened(7), opened(8)])
        assert PairingProblem.objects.count() == 2
        amended(dynos, 0, 10)
        assert not PairingProblem.objects.exists()
        assert not Interval.objects.filter(superseded_at=None).exists()
        assert amounts() == {}

    def test_of_another_meter_stay(self, dynos: Source) -> None:
        settled(dynos, [opened(0), closed(5), opened(0, product="disk", meter="storage"), measured(1, 7)])
        amended(dynos, 0, 10, meter="storage")
        assert amounts() == {"standard-1x": 5 * HOUR, "requests": 7}

    def test_do_not_take_the_owner_with_them(self, dynos: Source) -> None:
        settled(dynos, [opened(0, "r2", account="bob"), measured(3, 7, "r2")])
        amended(dynos, 0, 1, resource="r2")
        owned = Ownership.objects.filter(superseded_at=None, resource="r2").values_list("account", "start")
        assert list(owned) == [("bob", hour(0))]

    def test_of_an_amendment_name_an_owner_while_it_stands(self, dynos: Source) -> None:
        one = amended(dynos, 0, 9, [opened(1, "r2", account="bob", id="a1")], resource="r2")
        believed = Ownership.objects.filter(superseded_at=None, resource="r2")
        assert list(believed.values_list("account", "start")) == [("bob", hour(1))]
        reverted(one)
        assert not believed.exists()


class TestMeasured:
    def test_gives_way_and_comes_back(self, dynos: Source) -> None:
        settled(dynos, [measured(1, 5), measured(2, 7)])
        before, known = cutoff.freeze(), used()
        one = amended(dynos, 1, 2, [measured(1, 3, id="a1")])
        assert amounts() == {"requests": 10}
        reverted(one)
        assert used() == known == used(before)

    def test_that_nobody_owned_is_amended_too(self, dynos: Source) -> None:
        settled(dynos, [measured(1, 5, "r2"), measured(2, 7, "r2")])
        amended(dynos, 2, 3, resource="r2")
        (found,) = completeness.unowned(OCTOBER, cutoff=cutoff.freeze())
        assert found.quantity == 5

    def test_of_a_stranger_is_amended_too(self, dynos: Source) -> None:
        settled(dynos, [measured(1, 5, "r2", account="stranger")])
        assert completeness.strangers(OCTOBER, cutoff=cutoff.freeze()) == ["stranger"]
        amended(dynos, 1, 2, resource="r2")
        assert completeness.strangers(OCTOBER, cutoff=cutoff.freeze()) == []


@dataclass
class Said:
    """An event as a witness keeps it: in which step it came, and by which amendment (its step)."""

    event: Event
    step: int
    by: int | None = None


@dataclass
class Amended:
    """An amendment as a witness keeps it."""

    row: Amendment
    step: int
    start: float
    end: float
    meter: str
    until: float = float("inf")  # the step that took it back


def counting(said: list[Said], amendments: dict[int, Amended], step: int) -> list[Event]:
    """Return the events that count after ``step``: by trying every event against every amendment."""
    standing = [one for one in amendments.values() if one.step <= step < one.until]
    counted = []
    for one in said:
        if one.step > step or (one.by is not None and amendments[one.by] not in standing):
            continue
        at, meter = datetime.fromisoformat(one.event["time"]), one.event.get("meter", "duration")
        if not any(
            hour(other.start) <= at < hour(other.end) and other.meter in ("", meter) and one.step < other.step
            for other in standing
        ):
            counted.append(one.event)
    return counted


def random_event(chance: random.Random, name: str) -> Event:
    at = chance.randrange(40) / 4 - 6
    kind = chance.choice(KINDS)
    if kind is measured:
        return measured(at, chance.randint(1, 9), id=name)
    return kind(at, product=chance.choice(["small", "large"]), id=name)


@pytest.mark.parametrize("seed", range(25))
def test_agrees_with_a_model_as_known_at_every_step(dynos: Source, seed: int) -> None:
    chance = random.Random(seed)
    said: list[Said] = []
    amendments: dict[int, Amended] = {}
    cuts: list[datetime] = []
    for step in range(12):
        standing = [one for one in amendments.values() if one.until > step]
        action = chance.random()
        new = [random_event(chance, f"s{step}-{n}") for n in range(chance.randint(0, 4))]
        if action < 0.4:
            (settled if chance.random() < 0.5 else report)(dynos, new)
            said += [Said(event, step) for event in new]
        elif action < 0.8 or not standing:
            start, end = sorted(chance.sample(range(-24, 20), 2))
            within = [e for e in new if hour(start / 4) <= datetime.fromisoformat(e["time"]) < hour(end / 4)]
            meter = chance.choice(["", "", "duration", "requests"])
            within = [e for e in within if meter in ("", e.get("meter", "duration"))]
            made = amended(dynos, start / 4, end / 4, within, meter=meter)
            amendments[step] = Amended(made, step, start / 4, end / 4, meter)
            said += [Said(event, step, step) for event in within]
        else:
            gone = chance.choice(standing)
            reverted(gone.row)
            gone.until = step
        cuts.append(cutoff.freeze())
    spans = [Span(hour(-6), hour(0)), Span(hour(0), hour(50))]
    stated = [Statement("r1", "ann", "r1", "", hour(-100), hour(1000))]
    for step, cut in enumerate(cuts):
        found: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
        for row in used(cut, *spans):
            found["ann", row.product, row.span] += row.seconds_or_quantity
        assert dict(found) == model(counting(said, amendments, step), stated, spans), f"after step {step}"
