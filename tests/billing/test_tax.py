"""Tax: the right rate for a place and day, once per rate, rounded half up."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.tax import Rate, rate_for, tax_lines
from core.errors import Conflict

OCTOBER = date(2026, 10, 31)
VAT = Rate("VAT", Decimal("0.19"), "DE", valid_from=date(2021, 1, 1))
OLD_VAT = Rate("VAT", Decimal("0.16"), "DE", valid_from=date(2020, 7, 1), valid_to=date(2021, 1, 1))
STATE = Rate("Sales tax", Decimal("0.06"), "US", "DC")
RATES = (VAT, OLD_VAT, STATE)
coins = st.integers(-(10**9), 10**9)


class TestTaxLines:
    def test_are_one_per_rate_in_order_of_appearance(self) -> None:
        lines = tax_lines([(STATE, Decimal(10)), (VAT, Decimal(20)), (STATE, Decimal("0.50"))], "USD")
        assert [(line.name, line.taxable, line.amount) for line in lines] == [
            ("Sales tax", Decimal("10.50"), Decimal("0.63")),
            ("VAT", Decimal(20), Decimal("3.80")),
        ]

    def test_round_half_up(self) -> None:
        (line,) = tax_lines([(Rate("x", Decimal("0.05")), Decimal("0.50"))], "USD")
        assert line.amount == Decimal("0.03")

    def test_of_nothing_are_none(self) -> None:
        assert tax_lines([], "USD") == ()

    def test_of_a_zero_rate_are_stated(self) -> None:
        (line,) = tax_lines([(Rate("Reverse charge", Decimal(0)), Decimal(100))], "EUR")
        assert (line.taxable, line.amount) == (100, 0)

    @given(st.lists(coins, max_size=8), st.integers(0, 9999))
    def test_agree_with_fractions(self, amounts: list[int], basis_points: int) -> None:
        rate = Rate("tax", Decimal(basis_points).scaleb(-4))
        lines = tax_lines([(rate, Decimal(amount).scaleb(-2)) for amount in amounts], "USD")
        exact = Fraction(sum(amounts), 100) * Fraction(basis_points, 10_000)
        away = Fraction(floor(abs(exact) * 100 + Fraction(1, 2)), 100)
        assert sum(Fraction(line.amount) for line in lines) == (away if exact >= 0 else -away)


class TestRateFor:
    def test_takes_the_rate_of_the_day(self) -> None:
        assert rate_for(RATES, country="DE", region="", on=OCTOBER) is VAT
        assert rate_for(RATES, country="DE", region="BY", on=date(2020, 12, 31)) is OLD_VAT
        assert rate_for(RATES, country="DE", region="", on=date(2021, 1, 1)) is VAT

    def test_prefers_the_region_and_knows_no_other(self) -> None:
        assert rate_for(RATES, country="US", region="DC", on=OCTOBER) is STATE
        assert rate_for(RATES, country="US", region="CA", on=OCTOBER) is None
        assert rate_for(RATES, country="US", region="", on=OCTOBER) is None

    def test_refuses_to_guess_between_two(self) -> None:
        with pytest.raises(Conflict, match="2 tax rates apply in US-DC"):
            rate_for([STATE, STATE], country="US", region="DC", on=OCTOBER)
