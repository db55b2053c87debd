"""What a spreadsheet opens is text where it was text and a number where it was a number."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core.downloads import amount, cell, csv_lines


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1", "－1", "＠x", "+"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "-12.50", "12", "plain", "a=b", "", "'quoted"])
def test_the_rest_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (True, "yes"),
        (7, "7"),
        (Decimal("-0.5000"), "-0.5"),
        (date(2026, 11, 24), "2026-11-24"),
        (datetime(2026, 11, 24, 20, 0, tzinfo=UTC), "2026-11-24T20:00:00Z"),
    ],
)
def test_values_are_exact(value: object, written: str) -> None:
    assert cell(value) == written  # type: ignore[arg-type]


@pytest.mark.parametrize(("currency", "written"), [("USD", "25.00"), ("JPY", "25"), ("KWD", "25.000")])
def test_money_has_the_digits_of_its_currency(currency: str, written: str) -> None:
    assert amount(Decimal("25.0000"), currency) == written


def test_quotes_and_lines_survive_the_round_trip() -> None:
    rows = [['a "quoted"\nname', "x,y", "ü‑→"]]
    text = "".join(csv_lines(("one", "two", "three"), rows))
    assert list(csv.reader(io.StringIO(text))) == [["one", "two", "three"], *rows]
