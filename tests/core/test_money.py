"""Money: exact sums, one rounding, splits that lose no coin."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.exact import quotient
from core.money import exponent, minor_unit, plain, round_ratio, round_to_minor_unit, split, total

CURRENCIES = ("USD", "JPY", "KWD", "CLF")
currencies = st.sampled_from(CURRENCIES)
decimals = st.builds(
    lambda number, places: Decimal(number).scaleb(-places), st.integers(-(10**30), 10**30), st.integers(0, 12)
)


class TestCurrencies:
    @pytest.mark.parametrize(
        ("currency", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("UGX", 0), ("MGA", 2)]
    )
    def test_have_their_iso_4217_digits(self, currency: str, digits: int) -> None:
        assert exponent(currency) == digits
        assert minor_unit(currency) == Decimal(1).scaleb(-digits)

    @pytest.mark.parametrize("currency", ["usd", "US", "USDX", "U1D", "USB", "", "ＵＳＤ", "XXX"])
    def test_that_do_not_exist_are_refused(self, currency: str) -> None:
        with pytest.raises(Invalid, match="is not a currency"):
            exponent(currency)


class TestRoundToMinorUnit:
    @pytest.mark.parametrize(
        ("amount", "rounded"),
        [("0.025", "0.03"), ("0.024", "0.02"), ("-0.025", "-0.03"), ("-0.001", "0.00"), ("2.5", "2.50")],
    )
    def test_goes_half_up_away_from_zero(self, amount: str, rounded: str) -> None:
        assert str(round_to_minor_unit(Decimal(amount), "USD")) == rounded

    def test_differs_from_pythons_default(self) -> None:
        assert round_to_minor_unit(Decimal("0.025"), "USD") != Decimal("0.025").quantize(
            Decimal("0.01"), ROUND_HALF_EVEN
        )

    def test_does_not_run_out_of_digits(self) -> None:
        assert round_to_minor_unit(Decimal("1" + "0" * 40), "USD") == Decimal(10) ** 40

    @pytest.mark.parametrize("amount", ["NaN", "Infinity"])
    def test_refuses_what_is_no_amount(self, amount: str) -> None:
        with pytest.raises(ValueError, match="not an amount"):
            round_to_minor_unit(Decimal(amount), "USD")


class TestRoundRatio:
    def test_decides_on_the_exact_value(self) -> None:
        """A hair below half a cent stays below: no decimal of 28 digits can tell."""
        half = 10**40
        assert round_ratio(Decimal(half - 1), 200 * half, "USD") == Decimal("0.00")
        assert round_ratio(Decimal(half), 200 * half, "USD") == Decimal("0.01")

    @given(decimals, st.integers(1, 2_678_400), currencies)
    def test_agrees_with_fractions(self, numerator: Decimal, denominator: int, currency: str) -> None:
        coins = 10 ** exponent(currency)
        value = Fraction(numerator) / denominator
        away = Fraction(floor(abs(value) * coins + Fraction(1, 2)), coins)
        assert round_ratio(numerator, denominator, currency) == (away if value >= 0 else -away)

    @given(decimals, st.integers(1, 10**6), st.integers(0, 20))
    def test_quotient_is_off_by_half_a_unit_at_most(self, numerator: Decimal, denominator: int, places: int) -> None:
        difference = Fraction(quotient(numerator, denominator, places)) - Fraction(numerator) / denominator
        assert abs(difference) <= Fraction(1, 2 * 10**places)


class TestTotal:
    def test_of_nothing_is_zero(self) -> None:
        assert total([]) == 0

    @given(st.lists(decimals))
    def test_is_exact_in_any_order(self, amounts: list[Decimal]) -> None:
        assert Fraction(total(amounts)) == Fraction(total(reversed(amounts))) == sum(map(Fraction, amounts))


class TestSplit:
    def test_gives_the_odd_coin_to_the_first(self) -> None:
        assert split(Decimal("100.00"), [Decimal(1)] * 3, "USD") == [
            Decimal("33.34"),
            Decimal("33.33"),
            Decimal("33.33"),
        ]

    @given(st.integers(-(10**25), 10**25), st.lists(st.integers(0, 10**12), min_size=1, max_size=9), currencies)
    def test_sums_to_the_whole_and_stays_within_a_coin_of_the_exact_share(
        self, coins: int, weights: list[int], currency: str
    ) -> None:
        amount, coin = Decimal(coins).scaleb(-exponent(currency)), minor_unit(currency)
        shares = split(amount, [Decimal(weight).scaleb(-3) for weight in weights], currency)
        assert total(shares) == amount
        weights = weights if any(weights) else [1] * len(weights)
        for share, weight in zip(shares, weights, strict=True):
            assert share == round_to_minor_unit(share, currency)
            assert abs(Fraction(share) - Fraction(amount) * weight / sum(weights)) < Fraction(coin)

    def test_of_zero_weights_is_even(self) -> None:
        assert split(Decimal("0.05"), [Decimal(0)] * 2, "USD") == [Decimal("0.03"), Decimal("0.02")]

    @pytest.mark.parametrize(("amount", "weights"), [("1", []), ("1", [-1]), ("0.001", [1])])
    def test_refuses_what_cannot_be_split(self, amount: str, weights: list[int]) -> None:
        with pytest.raises(ValueError, match=r"split|negative|whole number"):
            split(Decimal(amount), [Decimal(weight) for weight in weights], "USD")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1E+3", "1000"), ("1.500", "1.5"), ("-0.00", "0"), ("100", "100"), ("0." + "1" * 40, "0." + "1" * 40)],
)
def test_plain_writes_all_digits_and_no_more(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text
