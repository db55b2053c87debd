"""Pairing against a brute-force model of seconds that shares no code with it."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage.pairing_rules import Pairing, Signal, Strand, pair

START = datetime(2026, 10, 1, tzinfo=UTC)
HORIZON = 40
Said = tuple[int, str, str]  # second, type, product


def switches(said: list[Said], seed: int = 0) -> list[Signal]:
    """The events of one resource, stored in an order of arrival that ``seed`` decides."""
    keys = list(range(len(said)))
    random.Random(seed).shuffle(keys)
    return [
        Signal("r", "duration", product, START + timedelta(seconds=at), kind, (1, f"{i:03}"), keys[i], "", "")
        for i, (at, kind, product) in enumerate(said)
    ]


def found(pairing: Pairing) -> set[tuple[str, int, int | None]]:
    def second(moment: datetime | None) -> int | None:
        return None if moment is None else int((moment - START).total_seconds())

    return {(i.opening.product, second(i.opened) or 0, second(i.closed)) for i in pairing.intervals}


def problems(pairing: Pairing) -> list[tuple[int, str]]:
    return sorted((int((p.signal.time - START).total_seconds()), p.kind) for p in pairing.problems)


class TestOneProduct:
    @pytest.mark.parametrize(
        ("said", "intervals", "trouble"),
        [
            ([(0, "open", "p"), (5, "close", "p")], {("p", 0, 5)}, []),
            ([(0, "open", "p")], {("p", 0, None)}, []),
            ([(5, "close", "p")], set(), [(5, "orphan_close")]),
            ([(0, "open", "p"), (3, "open", "p"), (5, "close", "p")], {("p", 0, 5)}, [(3, "double_open")]),
            ([(0, "open", "p"), (5, "close", "p"), (5, "open", "p")], {("p", 0, 5), ("p", 5, None)}, []),
            ([(5, "open", "p"), (5, "close", "p")], set(), [(5, "empty"), (5, "empty")]),
            (
                [(0, "open", "p"), (5, "close", "p"), (5, "close", "p"), (5, "open", "p")],
                {("p", 0, 5), ("p", 5, None)},
                [(5, "orphan_close")],
            ),
        ],
    )
    def test_pairs_as_the_clock_says(
        self, said: list[Said], intervals: set[tuple[str, int, int | None]], trouble: list[tuple[int, str]]
    ) -> None:
        for seed in range(6):
            pairing = pair(random.Random(seed).sample(switches(said, seed), len(said)))
            assert (found(pairing), problems(pairing)) == (intervals, trouble)


class TestTwoProducts:
    def test_a_plan_change_is_a_close_and_an_open_at_one_instant(self) -> None:
        pairing = pair(switches([(0, "open", "small"), (5, "close", "small"), (5, "open", "large")]))
        assert found(pairing) == {("small", 0, 5), ("large", 5, None)}
        assert not pairing.problems

    def test_of_two_at_once_the_earlier_stays(self) -> None:
        said = [(0, "open", "small"), (5, "open", "large"), (9, "close", "large")]
        pairing = pair(switches(said))
        assert found(pairing) == {("small", 0, None)}
        assert problems(pairing) == [(5, "overlap"), (9, "overlap")]

    def test_a_close_that_arrives_later_explains_the_overlap(self) -> None:
        said = [(0, "open", "small"), (5, "open", "large"), (9, "close", "large"), (5, "close", "small")]
        assert found(pair(switches(said))) == {("small", 0, 5), ("large", 5, 9)}


def model(said: list[Said]) -> set[tuple[str, int, int | None]]:
    """The same by trying every second of every product, and then giving each second to one of them."""
    runs: list[tuple[int, str, int]] = []
    for product in {product for _, _, product in said}:
        on: int | None = None
        for second in range(HORIZON):
            kinds = [kind for at, kind, of in said if at == second and of == product]
            was_on = on is not None
            if was_on and "close" in kinds:
                runs.append((on or 0, product, second))
                on = None
            if on is None and "open" in kinds and (was_on or "close" not in kinds):
                on = second
        if on is not None:
            runs.append((on, product, HORIZON))
    taken: set[int] = set()
    kept = set()
    for start, product, end in sorted(runs):
        seconds = set(range(start, end))
        if not taken & seconds:
            taken |= seconds
            kept.add((product, start, None if end == HORIZON else end))
    return kept


happenings = st.lists(
    st.tuples(st.integers(0, HORIZON - 10), st.sampled_from(["open", "close"]), st.sampled_from(["p", "q"])),
    max_size=14,
)


@given(happenings, st.integers(0, 1000))
@settings(max_examples=1500, deadline=None)
def test_pairs_as_a_model_of_seconds_does_in_any_order_of_arrival(said: list[Said], seed: int) -> None:
    arrived = switches(said, seed)
    pairing = pair(arrived)
    assert found(pairing) == model(said)
    shuffled = pair(random.Random(seed).sample(arrived, len(arrived)))
    assert (shuffled.intervals, sorted(shuffled.problems)) == (pairing.intervals, sorted(pairing.problems))
    used = [end.key for interval in pairing.intervals for end in interval if end is not None]
    assert sorted(used + [problem.signal.key for problem in pairing.problems]) == sorted(s.key for s in arrived)


Told = tuple[int, str, str, int]  # second, type, product, level (of a gauge)


def signals(told: list[Told], seed: int = 0) -> list[Signal]:
    """The same with levels."""
    keys = list(range(len(told)))
    random.Random(seed).shuffle(keys)
    return [
        Signal("r", "m", of, START + timedelta(seconds=at), kind, (1, f"{i:03}"), keys[i], "", "", Decimal(level))
        for i, (at, kind, of, level) in enumerate(told)
    ]


def level(at: int, quantity: int, product: str = "disk") -> Told:
    return (at, "gauge", product, quantity)


def levels(pairing: Pairing) -> list[tuple[str, int, int | None, Decimal]]:
    def second(moment: datetime | None) -> int | None:
        return None if moment is None else int((moment - START).total_seconds())

    return [(i.opening.product, second(i.opened) or 0, second(i.closed), i.level) for i in pairing.intervals]


class TestLevels:
    @pytest.mark.parametrize(
        ("told", "intervals", "trouble"),
        [
            ([level(0, 5)], [("disk", 0, None, 5)], []),
            ([level(0, 5), level(3, 7)], [("disk", 0, 3, 5), ("disk", 3, None, 7)], []),
            ([level(0, 5), level(3, 5), level(6, 5)], [("disk", 0, None, 5)], []),
            ([level(0, 5), level(3, 0), level(4, 0)], [("disk", 0, 3, 5)], []),
            ([level(0, 0)], [], []),
            ([level(0, 5), (3, "close", "disk", 1)], [("disk", 0, 3, 5)], []),
            ([level(0, 5), (3, "close", "disk", 1), level(3, 5)], [("disk", 0, 3, 5), ("disk", 3, None, 5)], []),
            ([level(3, 5), level(3, 6)], [("disk", 3, None, 6)], []),
            ([level(3, 5), (3, "close", "disk", 1)], [], [(3, "empty"), (3, "empty")]),
            ([level(0, 5), (2, "open", "disk", 1)], [("disk", 0, None, 5)], [(2, "mixed")]),
            ([(0, "open", "disk", 1), level(2, 5)], [("disk", 0, None, 1)], [(2, "mixed")]),
            ([(0, "open", "disk", 1), level(0, 5)], [("disk", 0, None, 1)], [(0, "mixed")]),
            ([level(0, 5), level(2, 0), (2, "open", "disk", 1)], [("disk", 0, 2, 5)], [(2, "mixed")]),
            ([level(0, 5), level(2, 7, "big")], [("disk", 0, None, 5)], [(2, "overlap")]),
            (
                [level(0, 5), level(2, 7, "big"), level(3, 0), level(4, 7, "big")],
                [("disk", 0, 3, 5), ("big", 4, None, 7)],
                [(2, "overlap")],
            ),
            ([level(0, 5), level(2, 0), level(2, 7, "big")], [("disk", 0, 2, 5), ("big", 2, None, 7)], []),
            (
                [level(0, 5), level(2, 6), level(2, 7, "big")],
                [("disk", 0, 2, 5), ("disk", 2, None, 6)],
                [(2, "overlap")],
            ),
        ],
    )
    def test_hold_until_the_next(
        self, told: list[Told], intervals: list[tuple[str, int, int | None, int]], trouble: list[tuple[int, str]]
    ) -> None:
        for seed in range(4):
            pairing = pair(random.Random(seed).sample(signals(told, seed), len(told)))
            assert (levels(pairing), problems(pairing)) == (intervals, trouble)


def model_of_levels(told: list[Told]) -> dict[int, tuple[str, int]]:
    """What counts in each second: one second after the other, product by product."""
    products = sorted({product for _, _, product, _ in told})
    state: dict[str, tuple[str, int] | None] = dict.fromkeys(products)  # kind (switch, aside, level) and level
    counts: dict[int, tuple[str, int]] = {}
    for now in range(HORIZON):
        closed, read = set(), set()
        said = {p: [(kind, n) for at, kind, of, n in told if at == now and of == p] for p in products}
        kinds = {p: [kind for kind, _ in said[p]] for p in products}
        last = {p: ([None] + [n for kind, n in said[p] if kind == "gauge"])[-1] for p in products}
        for p in products:
            if state[p] and "close" in kinds[p]:
                state[p] = None
                closed.add(p)
            elif (state[p] or ("", 0))[0] == "level" and last[p] is not None:
                state[p] = ("level", last[p] or 0) if last[p] else None
                read.add(p)
        for p in products:
            if state[p] or p in read or ("close" in kinds[p] and p not in closed):
                continue
            free = all((state[q] or ("aside", 0))[0] == "aside" for q in products)
            if "open" in kinds[p]:
                state[p] = ("switch" if free else "aside", 1)
            elif last[p] and free:
                state[p] = ("level", last[p] or 0)
        for p in products:
            if (of := state[p]) and of[0] != "aside":
                assert now not in counts, "one at a time"
                counts[now] = (p, of[1])
    return counts


tellings = st.lists(
    st.tuples(
        st.integers(0, HORIZON - 10),
        st.sampled_from(["open", "close", "gauge", "gauge", "gauge"]),
        st.sampled_from(["p", "q"]),
        st.integers(0, 2),
    ),
    max_size=14,
).map(lambda told: [(at, kind, product, n if kind == "gauge" else 1) for at, kind, product, n in told])


@given(tellings, st.integers(0, 1000))
@settings(max_examples=1500, deadline=None)
def test_counts_levels_as_a_model_of_seconds_does(told: list[Told], seed: int) -> None:
    pairing = pair(random.Random(seed).sample(signals(told, seed), len(told)))
    counted = {
        second: (product, int(n))
        for product, opened, closed, n in levels(pairing)
        for second in range(opened, HORIZON if closed is None else closed)
    }
    assert counted == model_of_levels(told)
    placed = [end.key for interval in pairing.intervals for end in interval if end is not None and end.type != "gauge"]
    placed += [problem.signal.key for problem in pairing.problems if problem.signal.type != "gauge"]
    assert sorted(placed) == sorted(s.key for s in signals(told, seed) if s.type != "gauge"), "each in one place"


@given(tellings, st.integers(0, HORIZON))
@settings(max_examples=500, deadline=None)
def test_a_strand_taken_up_at_any_moment_goes_on_alike(told: list[Told], at: int) -> None:
    moment = START + timedelta(seconds=at)
    early, whole = Strand(), pair(signals(told))
    early.advance(s for s in signals(told) if s.time < moment)
    later = Strand(dict(early.on), early.running)
    later.advance(s for s in signals(told) if s.time >= moment)
    found = later.finish()
    assert early.found.intervals + found.intervals == whole.intervals
    assert sorted(early.found.problems + found.problems) == sorted(whole.problems)
