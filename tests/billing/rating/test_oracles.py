"""Worked examples published by others, each with its number in docs/algorithms/oracles.md."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from billing.proration import seconds_within
from billing.rating import Usage, parse_price, rate
from billing.rating.aggregation import latest, maximum, summed, time_weighted, unique
from billing.rating.lines import rate_line
from billing.tax import Rate, tax_lines
from core.exact import quotient
from core.money import round_to_minor_unit, total
from core.periods import Month, Span

JANUARY_2022 = Month(2022, 1)
TIERS = [{"up_to": "5", "unit_amount": "7"}, {"up_to": "10", "unit_amount": "6.5"}, {"up_to": None, "unit_amount": "6"}]
HOURLY = {"model": "hourly_capped", "unit_amount": "5", "cap_amount": None}  # 5 ¢ an hour, in cents


def monthly(unit_amount: str, seconds: int | Decimal, month: Month, currency: str = "USD") -> Decimal:
    price = parse_price({"model": "prorated", "unit_amount": unit_amount})
    return rate_line(price, Decimal(seconds), month, currency).amount


def exact(price: dict[str, Any], quantity: str | int) -> Fraction:
    return rate(parse_price(price), Usage(Decimal(quantity), JANUARY_2022)).exact


class TestO1RealInvoiceOfJune2020:
    """Amounts of a public invoice: each line rounded, lines summed, tax once on the subtotal."""

    LINES = (
        ("7", "1", "7.00"),
        ("7", "0.0000976", "0.00"),
        ("7", "1", "7.00"),
        ("7", "1", "7.00"),
        ("7", "0.0073211", "0.05"),
        ("50", "1", "50.00"),
        ("7", "0.0000537", "0.00"),
        ("7", "0.0306929", "0.21"),
        ("7", "0.0000085", "0.00"),
        ("7", "0.0425833", "0.30"),
    )

    @pytest.mark.parametrize(("unit_amount", "months", "amount"), LINES)
    def test_each_line_by_its_quantity(self, unit_amount: str, months: str, amount: str) -> None:
        price = parse_price({"model": "per_unit", "unit_amount": unit_amount})
        assert rate_line(price, Decimal(months), Month(2020, 6), "USD").amount == Decimal(amount)

    @pytest.mark.parametrize(("unit_amount", "months", "amount"), LINES)
    def test_each_line_by_its_seconds(self, unit_amount: str, months: str, amount: str) -> None:
        """Seven digits of a month are a quarter of a second: the quantity comes back; whole seconds bill the same."""
        price, month = parse_price({"model": "prorated", "unit_amount": unit_amount}), Month(2020, 6)
        seconds = Decimal(months) * month.seconds
        line = rate_line(price, seconds, month, "USD")
        assert (line.amount, line.quantity) == (Decimal(amount), Decimal(months))
        assert rate_line(price, round_to_minor_unit(seconds, "JPY"), month, "USD").amount == Decimal(amount)

    def test_total(self) -> None:
        subtotal = total(Decimal(amount) for _, _, amount in self.LINES)
        (tax,) = tax_lines([(Rate("Tax", Decimal("0.06")), subtotal)], "USD")
        assert (subtotal, tax.amount, subtotal + tax.amount) == (Decimal("71.56"), Decimal("4.29"), Decimal("75.85"))


class TestPlatformRules:
    def test_o2_two_hours_of_a_basic_dyno(self) -> None:
        assert monthly("7", 7200, JANUARY_2022) == Decimal("0.02")

    def test_o3_half_a_month(self) -> None:
        assert monthly("25", JANUARY_2022.seconds // 2, JANUARY_2022) == Decimal("12.50")

    def test_o4_dyno_hours(self) -> None:
        start = datetime(2012, 1, 1, tzinfo=UTC)
        span = Span(start, start + timedelta(hours=1, minutes=15, seconds=30))
        assert seconds_within([(span.start, span.end)], span) == 4530
        assert quotient(Decimal(4530), 3600, 4) == Decimal("1.2583")

    def test_o5_the_flat_fee_is_due_in_full_on_the_last_day(self) -> None:
        flat = parse_price({"model": "flat", "unit_amount": "5"})
        assert rate_line(flat, Decimal(1), JANUARY_2022, "USD").amount == Decimal("5.00")

    def test_o5_what_is_left_of_the_pool(self) -> None:
        left = timedelta(hours=1000) - timedelta(minutes=7, seconds=5)
        assert left == timedelta(hours=999, minutes=52, seconds=55)

    @pytest.mark.parametrize(
        ("month", "amount"), [(Month(2022, 6), "0.01929"), (JANUARY_2022, "0.01867"), (Month(2022, 2), "0.02067")]
    )
    def test_o6_a_hundred_seconds_in_months_of_different_length(self, month: Month, amount: str) -> None:
        rated = rate(parse_price({"model": "prorated", "unit_amount": "500"}), Usage(Decimal(100), month))
        assert quotient(rated.unrounded, 1, 5) == Decimal(amount)

    def test_o7_average_of_a_day(self) -> None:
        midnight = datetime(2022, 1, 1, tzinfo=UTC)
        noon = midnight + timedelta(hours=12)
        day = Span(midnight, midnight + timedelta(days=1))
        assert time_weighted([(noon, Decimal(2)), (midnight, Decimal(1))], day) == Fraction(3, 2)

    def test_o8_a_change_of_plan_is_two_lines_rounded_each(self) -> None:
        first, second = monthly("25", 10 * 86_400, JANUARY_2022), monthly("50", 21 * 86_400, JANUARY_2022)
        assert (first, second, first + second) == (Decimal("8.06"), Decimal("33.87"), Decimal("41.93"))


class TestShushu:
    def test_o10_january(self) -> None:
        january = Month(2012, 1)
        assert exact({"model": "prorated", "unit_amount": "1"}, january.seconds) == 1
        assert rate_line(parse_price(HOURLY), Decimal(january.seconds), january, "USD").quantity == 744
        assert rate_line(parse_price(HOURLY), Decimal(5 * 86_400), january, "USD").quantity == 120

    def test_o11_an_owner_of_a_hundred_seconds(self) -> None:
        start, month = Month(2012, 1).start, Month(2012, 1).span
        moved = start + timedelta(seconds=100)
        assert seconds_within([(start, month.end)], Span(start, moved)) == 100
        assert seconds_within([(start, month.end)], Span(moved, month.end)) == 2_678_300

    def test_o12_revenue_with_and_without_a_free_quota_per_app(self) -> None:
        quota = {
            "model": "graduated",
            "tiers": [{"up_to": "744", "unit_amount": "0"}, {"up_to": None, "unit_amount": "5"}],
        }
        hours = (2 * 744, 744)
        assert sum(exact(HOURLY, used * 3600) for used in hours) == 11_160
        assert sum(exact(quota, used) for used in hours) == 3720

    def test_o13_a_day_at_five_cents(self) -> None:
        assert exact(HOURLY, 86_400) == 120


class TestTiers:
    @pytest.mark.parametrize(("quantity", "amount"), [(1, 7), (5, 35), (6, 39), (20, 120), (25, 150)])
    def test_o15_volume(self, quantity: int, amount: int) -> None:
        assert exact({"model": "volume", "tiers": TIERS}, quantity) == amount

    @pytest.mark.parametrize(("quantity", "amount"), [(5, "35"), (6, "41.50"), (20, "127.50"), (25, "157.50")])
    def test_o16_graduated(self, quantity: int, amount: str) -> None:
        assert exact({"model": "graduated", "tiers": TIERS}, quantity) == Fraction(amount)

    def test_a_started_package_is_charged_in_full(self) -> None:
        price = {"model": "package", "package_size": "100", "unit_amount": "5", "free_units": "100"}
        assert [exact(price, quantity) for quantity in (0, 100, 101, 201)] == [0, 0, 5, 10]

    @pytest.mark.parametrize(
        ("free", "amount"),
        [
            ({"free_events": "3", "free_units": "250"}, "11.15"),
            ({"free_units": "250"}, "11.15"),
            ({"free_events": "3"}, "7.20"),
            ({"free_events": "3", "free_units": "500"}, "7.20"),
            ({}, "18.40"),
        ],
    )
    def test_percentage_with_a_fee_and_allowances(self, free: dict[str, str], amount: str) -> None:
        price = parse_price({"model": "percentage", "rate": "0.013", "fixed_amount": "2", **free})
        events = tuple(map(Decimal, (50, 100, 250, 400)))
        assert rate(price, Usage(Decimal(800), None, events)).exact == Fraction(amount)

    @pytest.mark.parametrize(
        ("quantity", "amount"),
        [(0, "0"), (1, "200.01"), (10, "200.10"), (11, "500.12"), (12, "500.14"), (21, "900.33")],
    )
    def test_graduated_percentage_with_flat_amounts(self, quantity: int, amount: str) -> None:
        rows = (("10", "0.01", "200"), ("20", "0.02", "300"), (None, "0.03", "400"))
        tiers = [{"up_to": up_to, "rate": share, "flat_amount": flat} for up_to, share, flat in rows]
        assert exact({"model": "graduated_percentage", "tiers": tiers}, quantity) == Fraction(amount)


class TestRounding:
    @pytest.mark.parametrize(("amount", "rounded"), [("0.025", "0.03"), ("0.024", "0.02"), ("0.015", "0.02")])
    def test_o27_half_up(self, amount: str, rounded: str) -> None:
        price = parse_price({"model": "per_unit", "unit_amount": amount})
        assert rate_line(price, Decimal(1), JANUARY_2022, "USD").amount == Decimal(rounded)

    def test_o27_thirty_times_a_twentieth_of_a_cent(self) -> None:
        price = parse_price({"model": "per_unit", "unit_amount": "0.0005"})
        assert rate_line(price, Decimal(30), JANUARY_2022, "USD").amount == Decimal("0.02")

    def test_o33_yen_are_rounded_once_per_rate(self) -> None:
        ten, eight = Rate("10 %", Decimal("0.10")), Rate("8 %", Decimal("0.08"))
        (tax,) = tax_lines([(ten, Decimal(105))] * 3, "JPY")
        assert tax.amount == 32
        mixed = tax_lines([(ten, Decimal(105)), (eight, Decimal(108)), (ten, Decimal(210))], "JPY")
        assert [(line.taxable, line.amount) for line in mixed] == [(315, 32), (108, 9)]


class TestAggregations:
    SAMPLES = tuple((datetime(2026, 10, day, tzinfo=UTC), Decimal(value)) for day, value in ((1, 5), (2, 7), (3, 6)))

    def test_each_makes_its_own_quantity_in_any_order(self) -> None:
        for samples in (self.SAMPLES, self.SAMPLES[::-1]):
            assert (summed(samples), maximum(samples), latest(samples)) == (18, 7, 6)
        assert unique(["a", "b", "a"]) == 2

    def test_nothing_measured_is_zero(self) -> None:
        assert summed([]) == maximum([]) == latest([]) == unique([]) == 0

    def test_of_several_at_one_time_the_largest_counts(self) -> None:
        noon = datetime(2026, 10, 1, 12, tzinfo=UTC)
        for values in ((3, 9), (9, 3)):
            samples = [(noon, Decimal(value)) for value in values]
            assert latest(samples) == 9
            assert time_weighted(samples, Span(noon, noon + timedelta(hours=1))) == 9

    def test_a_level_holds_until_the_next_sample(self) -> None:
        """5 GB for a day, 7 for a day, 6 for the other 29: what lies after the month does not count."""
        late = (datetime(2026, 11, 2, tzinfo=UTC), Decimal(1000))
        october = Month(2026, 10).span
        assert time_weighted([late, *self.SAMPLES], october) == Fraction(5 + 7 + 6 * 29, 31)
