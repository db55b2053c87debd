"""Pairing against a brute-force model of seconds that shares no code with it."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage.pairing_rules import Pairing, Switch, pair

START = datetime(2026, 10, 1, tzinfo=UTC)
HORIZON = 40
Said = tuple[int, str, str]  # second, type, product


def switches(said: list[Said], seed: int = 0) -> list[Switch]:
    """The events of one resource, stored in an order of arrival that ``seed`` decides."""
    keys = list(range(len(said)))
    random.Random(seed).shuffle(keys)
    return [
        Switch("r", "duration", product, START + timedelta(seconds=at), kind, (1, f"{i:03}"), keys[i], "", "")
        for i, (at, kind, product) in enumerate(said)
    ]


def found(pairing: Pairing) -> set[tuple[str, int, int | None]]:
    def second(moment: datetime | None) -> int | None:
        return None if moment is None else int((moment - START).total_seconds())

    return {(i.opening.product, second(i.opened) or 0, second(i.closed)) for i in pairing.intervals}


def problems(pairing: Pairing) -> list[tuple[int, str]]:
    return sorted((int((p.switch.time - START).total_seconds()), p.kind) for p in pairing.problems)


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
    assert sorted(used + [problem.switch.key for problem in pairing.problems]) == sorted(s.key for s in arrived)
