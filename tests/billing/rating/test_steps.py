"""Steps say in words and numbers how an amount came about."""

from decimal import Decimal
from typing import Any

import pytest

from billing.rating import Step, Usage, parse_price, rate, steps_as_json
from core.errors import Invalid
from core.periods import Month
from tests.billing.rating.test_parsing import ladder

OCTOBER = Month(2026, 10)


def steps(price: dict[str, Any], quantity: str, *events: int) -> list[tuple[str, str, str, str]]:
    usage = Usage(Decimal(quantity), OCTOBER, tuple(map(Decimal, events)) or None)
    written = steps_as_json(rate(parse_price(price), usage).steps)
    return [(step["label"], step["quantity"], step["unit_amount"], step["amount"]) for step in written]


def test_prorated() -> None:
    assert steps({"model": "prorated", "unit_amount": "50"}, "1339200") == [
        ("1339200 of 2678400 seconds of 2026-10", "0.5", "50", "25")
    ]


class TestHourlyCapped:
    PRICE = {"model": "hourly_capped", "unit_amount": "0.5", "cap_amount": "7"}

    def test_up_to_the_cap(self) -> None:
        assert steps(self.PRICE, "50400") == [("50400 seconds by the hour", "14", "0.5", "7")]

    def test_above_the_cap(self) -> None:
        assert steps(self.PRICE, "54000") == [
            ("54000 seconds by the hour", "15", "0.5", "7.5"),
            ("above the monthly cap, not charged", "1", "-0.5", "-0.5"),
        ]


def test_package() -> None:
    assert steps({"model": "package", "package_size": "100", "unit_amount": "5", "free_units": "100"}, "201") == [
        ("free units", "100", "0", "0"),
        ("packages of 100, a started one in full", "2", "5", "10"),
    ]


def test_tiers_are_named_by_what_they_span() -> None:
    tiers = [
        {"up_to": "5", "unit_amount": "7", "flat_amount": "2"},
        {"up_to": "10", "unit_amount": "6.5"},
        {"up_to": None, "unit_amount": "6"},
    ]
    assert steps({"model": "graduated", "tiers": tiers}, "12.5") == [
        ("tier 1, up to 5", "5", "7", "35"),
        ("tier 1, up to 5: flat amount", "1", "2", "2"),
        ("tier 2, above 5 up to 10", "5", "6.5", "32.5"),
        ("tier 3, above 10", "2.5", "6", "15"),
    ]
    assert steps({"model": "volume", "tiers": tiers}, "10") == [
        ("all units at tier 2, above 5 up to 10", "10", "6.5", "65")
    ]


def test_a_single_tier_is_above_zero() -> None:
    assert steps({"model": "stairs", "tiers": [{"up_to": None, "flat_amount": "9"}]}, "1") == [
        ("tier 1, above 0", "1", "9", "9")
    ]


class TestPercentage:
    PRICE = {"model": "percentage", "rate": "0.013", "fixed_amount": "3", "free_units": "250"}

    def test_tells_what_was_free(self) -> None:
        assert steps(self.PRICE, "800", 50, 100, 250, 400) == [
            ("free amount", "250", "0", "0"),
            ("share of the amount", "550", "0.013", "7.15"),
            ("fee for each event", "2", "3", "6"),
        ]

    @pytest.mark.parametrize(
        "needs", [{"fixed_amount": "2"}, {"free_events": "2"}, {"fixed_amount": "2", "free_events": "2"}]
    )
    def test_asks_for_the_events_it_needs(self, needs: dict[str, str]) -> None:
        price = parse_price({"model": "percentage", "rate": "0.013", **needs})
        with pytest.raises(Invalid, match="events are missing"):
            rate(price, Usage(Decimal(800)))

    def test_refuses_events_that_do_not_make_the_quantity(self) -> None:
        with pytest.raises(Invalid, match="events must add up"):
            rate(parse_price(self.PRICE), Usage(Decimal(800), None, (Decimal(799),)))


def test_a_price_by_time_asks_for_its_month() -> None:
    with pytest.raises(Invalid, match="period is missing"):
        rate(parse_price({"model": "prorated", "unit_amount": "7"}), Usage(Decimal(1)))


def test_tiers_may_be_a_thousand_and_the_sentence_says_which_end_is_wrong() -> None:
    most = [str(number) for number in range(1, 1000)]
    assert len(steps(ladder(*most, None), "999.5")) == 1000
    with pytest.raises(Invalid, match=r"price.tiers\[1\].up_to must be null in the last tier"):
        parse_price(ladder("5", "10"))
    with pytest.raises(Invalid, match=r"price.tiers\[0\].up_to must be a number in every tier but the last"):
        parse_price(ladder(None, None))


def test_every_step_is_its_quantity_at_its_unit_amount() -> None:
    tiers = [{"up_to": "2.5", "rate": "0.1", "flat_amount": "1"}, {"up_to": None, "rate": "0.01"}]
    rated = rate(parse_price({"model": "graduated_percentage", "tiers": tiers}), Usage(Decimal(4)))
    assert all(step.quantity * step.unit_amount == step.amount for step in rated.steps)
    assert rated.steps[0] == Step("tier 1, up to 2.5", Decimal("2.5"), Decimal("0.1"), Decimal("0.25"))
