"""Rating agrees with the second, obvious implementation, exactly and after rounding, in currencies of every kind."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from billing.proration import seconds_within
from billing.rating import Usage, parse_price, price_as_json, rate
from billing.rating.lines import rate_line
from core.exact import EXACT
from core.money import total
from core.periods import Month
from tests.billing.rating import cases, witness

OCTOBER = Month(2026, 10)


def agree(price: dict[str, Any], usage: Usage, currency: str, expected: Fraction) -> None:
    """Check amount, exact value, unrounded value, steps and the way to JSON and back."""
    parsed = parse_price(price)
    rated = rate(parsed, usage)
    assert rated.exact == expected
    assert Fraction(rated.rounded(currency)) == witness.half_up(expected, currency)
    assert rated.rounded(currency).as_tuple().exponent == -witness.DIGITS[currency]
    assert abs(Fraction(rated.unrounded) - expected) <= Fraction(1, 2 * 10**20)
    assert total(step.amount for step in rated.steps) == rated.unrounded
    assert parse_price(price_as_json(parsed)) == parsed
    line = rate_line(parsed, usage.quantity, usage.month or OCTOBER, currency, usage.events)
    assert (line.amount, line.unrounded, line.steps) == (rated.rounded(currency), rated.unrounded, rated.steps)


class TestAgreesWithTheWitness:
    @cases.examples
    @given(cases.money(), cases.money(), cases.currencies)
    def test_per_unit(self, unit_amount: str, quantity: str, currency: str) -> None:
        price = {"model": "per_unit", "unit_amount": unit_amount}
        agree(price, Usage(Decimal(quantity)), currency, witness.per_unit(price, Fraction(quantity)))

    @cases.examples
    @given(cases.money(), st.integers(0, 300), st.integers(0, 2), cases.currencies)
    def test_flat(self, unit_amount: str, number: int, places: int, currency: str) -> None:
        price, quantity = {"model": "flat", "unit_amount": unit_amount}, cases.scaled(number, places)
        agree(price, Usage(Decimal(quantity)), currency, witness.flat(price, Fraction(quantity)))

    @cases.examples
    @given(cases.money(), cases.intervals(), cases.periods, cases.currencies)
    def test_prorated(self, unit_amount: str, pairs: list[tuple[int, int]], period: str, currency: str) -> None:
        month, price = Month.parse(period), {"model": "prorated", "unit_amount": unit_amount}
        times = [(month.start + timedelta(seconds=a), month.start + timedelta(seconds=b)) for a, b in pairs]
        seconds = seconds_within(times, month.span)
        length = witness.month_seconds(period)
        assert seconds == sum(max(0, min(b, length) - max(a, 0)) for a, b in pairs)
        agree(price, Usage(seconds, month), currency, witness.prorated(price, Fraction(seconds), period))

    @cases.examples
    @given(cases.money(1000), st.none() | cases.money(10_000), st.integers(0, 3 * 10**6), cases.currencies)
    def test_hourly_capped(self, unit_amount: str, cap: str | None, seconds: int, currency: str) -> None:
        price = {"model": "hourly_capped", "unit_amount": unit_amount, "cap_amount": cap}
        usage = Usage(Decimal(seconds), OCTOBER)
        agree(price, usage, currency, witness.hourly_capped(price, Fraction(seconds)))

    @cases.examples
    @given(
        cases.money(), st.integers(1, 40), st.integers(0, 300), st.integers(0, 300), st.integers(0, 2), cases.currencies
    )
    def test_package(self, unit_amount: str, size: int, free: int, number: int, places: int, currency: str) -> None:
        price = {"model": "package", "unit_amount": unit_amount, "package_size": cases.scaled(size, places)}
        if free % 2:
            price["free_units"] = cases.scaled(free, places)
        quantity = cases.scaled(number, places)
        agree(price, Usage(Decimal(quantity)), currency, witness.package(price, Fraction(quantity)))

    @cases.examples
    @given(cases.tiered("graduated", "unit_amount"), cases.currencies)
    def test_graduated(self, case: tuple[dict[str, Any], str, str], currency: str) -> None:
        price, quantity, grain = case
        expected = witness.by_the_grain(price, Fraction(quantity), Fraction(grain), "unit_amount")
        agree(price, Usage(Decimal(quantity)), currency, expected)

    @cases.examples
    @given(cases.tiered("graduated_percentage", "rate"), cases.currencies)
    def test_graduated_percentage(self, case: tuple[dict[str, Any], str, str], currency: str) -> None:
        price, quantity, grain = case
        expected = witness.by_the_grain(price, Fraction(quantity), Fraction(grain), "rate")
        agree(price, Usage(Decimal(quantity)), currency, expected)

    @cases.examples
    @given(cases.tiered("volume", "unit_amount"), cases.currencies)
    def test_volume(self, case: tuple[dict[str, Any], str, str], currency: str) -> None:
        price, quantity, _ = case
        agree(price, Usage(Decimal(quantity)), currency, witness.by_the_whole(price, Fraction(quantity)))

    @cases.examples
    @given(cases.tiered("stairs", None), cases.currencies)
    def test_stairs(self, case: tuple[dict[str, Any], str, str], currency: str) -> None:
        price, quantity, _ = case
        agree(price, Usage(Decimal(quantity)), currency, witness.by_the_whole(price, Fraction(quantity)))

    @cases.examples
    @given(cases.percentages(), cases.currencies)
    def test_percentage(self, case: tuple[dict[str, Any], list[str]], currency: str) -> None:
        price, amounts = case
        events = tuple(map(Decimal, amounts))
        agree(
            price, Usage(total(events), None, events), currency, witness.percentage(price, list(map(Fraction, amounts)))
        )


class TestAgreesHourByHour:
    @cases.examples
    @given(st.lists(st.tuples(st.integers(-48, 800), st.integers(-48, 800)), max_size=3), cases.periods)
    def test_prorated_hours_counted_one_by_one(self, pairs: list[tuple[int, int]], period: str) -> None:
        month = Month.parse(period)
        hours = range(witness.month_seconds(period) // 3600)
        counted = sum(1 for hour in hours for pair in pairs if min(pair) <= hour < max(pair))
        at = [(month.start + timedelta(hours=min(pair)), month.start + timedelta(hours=max(pair))) for pair in pairs]
        assert seconds_within(at, month.span) == counted * 3600


class TestVersionChanges:
    @cases.examples
    @given(cases.money(), cases.money(), st.integers(0, 2_678_400), cases.currencies)
    def test_a_price_change_splits_the_month_without_gap_or_overlap(
        self, old: str, new: str, change: int, currency: str
    ) -> None:
        """Each side is charged at its own price for its own seconds; with equal prices the sum is the list price."""
        before, after = (parse_price({"model": "prorated", "unit_amount": amount}) for amount in (old, new))
        parts = (Usage(Decimal(change), OCTOBER), Usage(Decimal(2_678_400 - change), OCTOBER))
        rated = rate(before, parts[0]).exact + rate(after, parts[1]).exact
        assert rated == (Fraction(old) * change + Fraction(new) * (2_678_400 - change)) / 2_678_400
        assert rate(before, parts[0]).exact + rate(before, parts[1]).exact == Fraction(old)


def test_the_largest_inputs_stay_exact() -> None:
    largest = "9" * 18 + "." + "9" * 30
    price = parse_price({"model": "per_unit", "unit_amount": largest})
    assert rate(price, Usage(Decimal(largest))).exact == Fraction(largest) ** 2
    assert EXACT.prec > 2 * 48 + 2 * 18


def test_a_month_in_the_year_2000_divides_by_its_own_seconds() -> None:
    february = Month.containing(datetime(2000, 2, 29, tzinfo=UTC))
    price = parse_price({"model": "prorated", "unit_amount": "29"})
    assert rate(price, Usage(Decimal(86_400), february)).exact == 1
