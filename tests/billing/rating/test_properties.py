"""What must hold for every price: sums by construction, caps, order, and where more usage may cost less."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.proration import cut, seconds_within
from billing.rating import Model, Usage, parse_price, rate
from billing.rating.lines import rate_line
from core.money import split, total
from core.periods import Month
from tests.billing.rating import cases

OCTOBER = Month(2026, 10)
DIGITS = {"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4}


def cost(price: dict[str, Any], quantity: str | Decimal, events: tuple[Decimal, ...] | None = None) -> Fraction:
    return rate(parse_price(price), Usage(Decimal(quantity), OCTOBER, events)).exact


class TestProrated:
    @pytest.mark.parametrize("year", range(2000, 2200, 7))
    @pytest.mark.parametrize("number", range(1, 13))
    def test_a_full_month_costs_exactly_the_list_price(self, year: int, number: int) -> None:
        month, price = Month(year, number), parse_price({"model": "prorated", "unit_amount": "6.99"})
        line = rate_line(price, Decimal(month.seconds), month, "USD")
        assert (line.amount, line.unrounded, line.quantity) == (Decimal("6.99"), Decimal("6.99"), 1)

    @cases.examples
    @given(cases.money(), st.lists(st.integers(0, 2_678_400), max_size=8), cases.intervals(1), cases.periods)
    def test_splitting_an_interval_never_changes_the_exact_sum(
        self, unit_amount: str, changes: list[int], pairs: list[tuple[int, int]], period: str
    ) -> None:
        """Whether by owner, price version or day: the parts cost what the whole does."""
        month, price = Month.parse(period), parse_price({"model": "prorated", "unit_amount": unit_amount})
        at = [(month.start + timedelta(seconds=a), month.start + timedelta(seconds=b)) for a, b in pairs]
        parts = cut(month.span, [month.start + timedelta(seconds=second) for second in changes])
        whole = rate(price, Usage(seconds_within(at, month.span), month)).exact
        assert sum(rate(price, Usage(seconds_within(at, part), month)).exact for part in parts) == whole

    @cases.examples
    @given(cases.money(), st.permutations([(0, 7200), (3600, 5000), (-50, 10), (2_678_000, 2_679_000)]))
    def test_the_order_of_intervals_is_irrelevant(self, unit_amount: str, pairs: list[tuple[int, int]]) -> None:
        at = [(OCTOBER.start + timedelta(seconds=a), OCTOBER.start + timedelta(seconds=b)) for a, b in pairs]
        assert seconds_within(at, OCTOBER.span) == 7200 + 1400 + 10 + 400

    @cases.examples
    @given(cases.money(), st.lists(st.integers(0, 2_678_400), min_size=1, max_size=6), st.sampled_from(sorted(DIGITS)))
    def test_shares_of_one_rounded_line_sum_to_it(self, unit_amount: str, used: list[int], currency: str) -> None:
        price = parse_price({"model": "prorated", "unit_amount": unit_amount})
        line = rate_line(price, Decimal(sum(used)), OCTOBER, currency)
        assert total(split(line.amount, [Decimal(seconds) for seconds in used], currency)) == line.amount


class TestCaps:
    @cases.examples
    @given(cases.money(), cases.money(), st.integers(0, 2_678_400))
    def test_a_cap_is_never_exceeded(self, unit_amount: str, cap: str, seconds: int) -> None:
        price = {"model": "hourly_capped", "unit_amount": unit_amount, "cap_amount": cap}
        assert cost(price, Decimal(seconds)) <= Fraction(cap)


def _monotone(model: str) -> st.SearchStrategy[dict[str, Any]]:
    """A price of one model; graduated ladders with any tiers at all."""
    if model.startswith("graduated"):
        charge = "rate" if model.endswith("percentage") else "unit_amount"
        return cases.tiered(model, charge).map(lambda case: case[0])
    fields: dict[str, st.SearchStrategy[str]] = {"unit_amount": cases.money()}
    if model == "package":
        fields |= {"package_size": st.integers(1, 9).map(str), "free_units": st.integers(0, 9).map(str)}
    if model == "hourly_capped":
        fields |= {"cap_amount": cases.money()}
    if model == "percentage":
        fields = {
            "rate": st.integers(0, 10**4).map(lambda n: cases.scaled(n, 4)),
            "free_units": st.integers(0, 9).map(str),
        }
    return st.fixed_dictionaries({"model": st.just(model), **fields})


class TestMoreUsage:
    @pytest.mark.parametrize("model", sorted(set(Model) - {"volume", "stairs"}))
    @cases.examples
    @given(data=st.data())
    def test_never_costs_less(self, model: str, data: st.DataObject) -> None:
        price = data.draw(_monotone(model))
        less, more = sorted(data.draw(st.tuples(st.integers(0, 900), st.integers(0, 900))))
        assert cost(price, cases.scaled(less, 1)) <= cost(price, cases.scaled(more, 1))

    def test_may_cost_less_at_a_boundary_of_volume(self) -> None:
        """Five at 7 are 35; the sixth brings all of them to 5."""
        tiers = [{"up_to": "5", "unit_amount": "7"}, {"up_to": None, "unit_amount": "5"}]
        volume = {"model": "volume", "tiers": tiers}
        assert (cost(volume, "5"), cost(volume, "6")) == (35, 30)

    def test_may_cost_less_on_stairs_that_go_down(self) -> None:
        stairs = {
            "model": "stairs",
            "tiers": [{"up_to": "10", "flat_amount": "20"}, {"up_to": None, "flat_amount": "15"}],
        }
        assert (cost(stairs, "10"), cost(stairs, "10.001")) == (20, 15)


class TestEvents:
    EVENTS = (Decimal(50), Decimal(100), Decimal(250), Decimal(400))

    @cases.examples
    @given(st.permutations(EVENTS))
    def test_order_is_irrelevant_without_allowances(self, events: list[Decimal]) -> None:
        price = {"model": "percentage", "rate": "0.013", "fixed_amount": "2"}
        assert cost(price, "800", tuple(events)) == Fraction("18.4")

    @cases.examples
    @given(st.permutations(EVENTS))
    def test_a_free_amount_is_worth_its_rate_in_any_order(self, events: list[Decimal]) -> None:
        price = {"model": "percentage", "rate": "0.013", "free_units": "250"}
        assert cost(price, "800", tuple(events)) == cost(price, "800") == Fraction("7.15")

    def test_order_decides_which_events_are_free(self) -> None:
        price = {"model": "percentage", "rate": "0.013", "free_events": "1"}
        assert cost(price, "800", self.EVENTS) > cost(price, "800", self.EVENTS[::-1])

    def test_an_event_that_uses_up_the_free_amount_exactly_is_free_of_its_fee(self) -> None:
        price = {"model": "percentage", "rate": "0.01", "fixed_amount": "2", "free_units": "150"}
        assert cost(price, "800", self.EVENTS) == Fraction("6.5") + 4


class TestZeroUsage:
    LADDER = ({"up_to": "5", "unit_amount": "7", "flat_amount": "2"}, {"up_to": None, "unit_amount": "6"})

    @pytest.mark.parametrize("model", ["graduated", "volume"])
    def test_enters_no_tier(self, model: str) -> None:
        assert cost({"model": model, "tiers": list(self.LADDER)}, "0") == 0

    @pytest.mark.parametrize("model", ["graduated", "volume"])
    def test_enters_the_first_one_when_the_price_says_so(self, model: str) -> None:
        assert cost({"model": model, "tiers": list(self.LADDER), "flat_at_zero": True}, "0") == 2
