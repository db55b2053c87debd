"""Prices are read strictly: each mistake raises Invalid, names its field and says what would be right."""

from typing import Any

import pytest

from billing.rating import WAYS, Model, parse_price, price_as_json, price_from_json
from core.errors import Invalid

LADDER: list[dict[str, Any]] = [{"up_to": "5", "unit_amount": "7"}, {"up_to": None, "unit_amount": "6"}]


def ladder(*ends: object) -> dict[str, Any]:
    return {"model": "graduated", "tiers": [{"up_to": end, "unit_amount": "7"} for end in ends]}


def per_unit(amount: object) -> dict[str, Any]:
    return {"model": "per_unit", "unit_amount": amount}


MISTAKES: list[tuple[object, str]] = [
    (None, "price"),
    ([], "price"),
    ("per_unit", "price"),
    ({}, "price.model"),
    ({"model": None}, "price.model"),
    ({"model": ["per_unit"]}, "price.model"),
    ({"model": "per unit"}, "price.model"),
    ({"model": "PER_UNIT", "unit_amount": "1"}, "price.model"),
    ({"model": "per_unit"}, "price.unit_amount"),
    *[
        (per_unit(amount), "price.unit_amount")
        for amount in (
            None,
            True,
            7,
            7.5,
            [],
            {},
            "",
            " 7",
            "7 ",
            "seven",
            "NaN",
            "sNaN",
            "Infinity",
            "-Infinity",
            "-1",
            "-0.01",
            "+1",
            "1e18",
            "1e308",
            "1e999999999",
            "1" * 19,
            "1" * 5000,
            "0." + "0" * 30 + "1",
            "1e-31",
            "1_000",
            "1,000",
            "1.",
            ".5",
            "0x10",
            "½",
            "٣",
            "1\n",
        )
    ],
    ({**per_unit("7"), "unit_price": "7"}, "price.unit_price"),
    ({**per_unit("7"), "tiers": LADDER}, "price.tiers"),
    ({"model": "graduated"}, "price.tiers"),
    ({"model": "graduated", "tiers": None}, "price.tiers"),
    ({"model": "graduated", "tiers": {}}, "price.tiers"),
    ({"model": "graduated", "tiers": []}, "price.tiers"),
    ({"model": "graduated", "tiers": LADDER * 600}, "price.tiers"),
    ({"model": "graduated", "tiers": ["5"]}, "price.tiers[0]"),
    ({"model": "graduated", "tiers": [{"unit_amount": "7"}]}, "price.tiers[0].up_to"),
    ({"model": "graduated", "tiers": [{"up_to": None}]}, "price.tiers[0].unit_amount"),
    ({"model": "graduated", "tiers": [{"up_to": None, "unit_amount": "1", "rate": "0"}]}, "price.tiers[0].rate"),
    ({"model": "graduated", "tiers": LADDER, "flat_at_zero": "yes"}, "price.flat_at_zero"),
    (ladder("5"), "price.tiers[0].up_to"),
    (ladder("5", "10"), "price.tiers[1].up_to"),
    (ladder(None, None), "price.tiers[0].up_to"),
    (ladder("10", "5", None), "price.tiers[1].up_to"),
    (ladder("5", "5", None), "price.tiers[1].up_to"),
    (ladder("5", "5.0", None), "price.tiers[1].up_to"),
    (ladder("0", None), "price.tiers[0].up_to"),
    (ladder("-1", None), "price.tiers[0].up_to"),
    (ladder("inf", None), "price.tiers[0].up_to"),
    (ladder(5, None), "price.tiers[0].up_to"),
    ({"model": "stairs", "tiers": [{"up_to": None, "unit_amount": "5"}]}, "price.tiers[0].flat_amount"),
    ({"model": "package", "unit_amount": "5"}, "price.package_size"),
    ({"model": "package", "unit_amount": "5", "package_size": "0"}, "price.package_size"),
    ({"model": "package", "unit_amount": "5", "package_size": "10", "free_units": "-1"}, "price.free_units"),
    ({"model": "percentage"}, "price.rate"),
    ({"model": "percentage", "rate": "1.3"}, "price.rate"),
    ({"model": "percentage", "rate": "1.3 %"}, "price.rate"),
    ({"model": "percentage", "rate": "0.013", "free_events": "1.5"}, "price.free_events"),
    ({"model": "percentage", "rate": "0.013", "free_events": -1}, "price.free_events"),
    ({"model": "percentage", "rate": "0.013", "free_events": True}, "price.free_events"),
    ({"model": "graduated_percentage", "tiers": [{"up_to": None, "rate": "2"}]}, "price.tiers[0].rate"),
    ({"model": "hourly_capped", "unit_amount": "0.01"}, "price.cap_amount"),
    ({"model": "flat"}, "price.unit_amount"),
    ({"model": "flat", "unit_amount": "5", "flat_amount": "5"}, "price.unit_amount"),
]


@pytest.mark.parametrize(("price", "field"), MISTAKES)
def test_a_mistake_names_its_field(price: object, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_price(price)
    assert caught.value.field == field
    assert field in str(caught.value)
    assert len(str(caught.value)) < 300


PRICES: dict[Model, dict[str, Any]] = {
    Model.PRORATED: {"model": "prorated", "unit_amount": "50"},
    Model.HOURLY_CAPPED: {"model": "hourly_capped", "unit_amount": "0.01", "cap_amount": None},
    Model.FLAT: {"model": "flat", "unit_amount": "5"},
    Model.PER_UNIT: {"model": "per_unit", "unit_amount": "0.0000001"},
    Model.GRADUATED: {
        "model": "graduated",
        "tiers": [{**tier, "flat_amount": "0"} for tier in LADDER],
        "flat_at_zero": True,
    },
    Model.VOLUME: {
        "model": "volume",
        "tiers": [{**tier, "flat_amount": "1.5"} for tier in LADDER],
        "flat_at_zero": False,
    },
    Model.PACKAGE: {"model": "package", "package_size": "0.5", "unit_amount": "5", "free_units": "100"},
    Model.PERCENTAGE: {
        "model": "percentage",
        "rate": "0.013",
        "fixed_amount": "2",
        "free_units": "250",
        "free_events": 3,
    },
    Model.GRADUATED_PERCENTAGE: {
        "model": "graduated_percentage",
        "tiers": [
            {"up_to": "0.1", "rate": "0.5", "flat_amount": "0"},
            {"up_to": None, "rate": "1", "flat_amount": "2"},
        ],
        "flat_at_zero": False,
    },
    Model.STAIRS: {"model": "stairs", "tiers": [{"up_to": None, "flat_amount": "9"}], "flat_at_zero": False},
}


@pytest.mark.parametrize("model", Model)
def test_a_price_comes_back_from_json_as_it_went(model: Model) -> None:
    price = parse_price(PRICES[model])
    assert type(price) is WAYS[model].price
    assert price_as_json(price) == PRICES[model]


def test_a_decimal_may_use_an_exponent_and_keeps_its_value() -> None:
    assert price_as_json(parse_price(per_unit("1E-7"))) == per_unit("0.0000001")
    assert price_as_json(parse_price(per_unit("12.50"))) == per_unit("12.5")


def test_a_tier_may_be_charged_once_only() -> None:
    tiers = [{"up_to": None, "flat_amount": "9"}]
    assert price_as_json(parse_price({"model": "graduated", "tiers": tiers}))["tiers"][0]["unit_amount"] == "0"


def test_stored_text_is_parsed_once() -> None:
    text = '{"model": "per_unit", "unit_amount": "7"}'
    assert price_from_json(text) is price_from_json(text)
