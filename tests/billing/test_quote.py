"""``manage.py quote``: the contract, to the byte, and every kind of broken request."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from billing.quoting import LARGEST_REQUEST, main

ROOT = Path(__file__).resolve().parent.parent.parent
GRADUATED = {
    "model": "graduated",
    "tiers": [{"up_to": "5", "unit_amount": "7", "flat_amount": "0"}, {"up_to": None, "unit_amount": "6"}],
}
PRORATED = {"model": "prorated", "unit_amount": "7"}
PER_UNIT = {"model": "per_unit", "unit_amount": "1"}
FEES = {"model": "percentage", "rate": "0.013", "fixed_amount": "2"}


def ask(body: bytes | str | dict[str, Any]) -> tuple[int, str, str]:
    """Answer a request in this process: exit code, output and the sentence."""
    if isinstance(body, dict):
        body = json.dumps(body)
    out, sentence = io.StringIO(), io.StringIO()
    code = main(io.BytesIO(body if isinstance(body, bytes) else body.encode()), out, sentence)
    return code, out.getvalue(), sentence.getvalue()


def quote(price: dict[str, Any], currency: str = "USD", **usage: Any) -> dict[str, Any]:
    code, output, sentence = ask({"currency": currency, "price": price, **usage})
    assert (code, sentence) == (0, "")
    answer: dict[str, Any] = json.loads(output)
    return answer


class TestContract:
    def test_the_example_of_the_contract(self) -> None:
        assert quote(GRADUATED, quantity="6") == {
            "amount": "41.00",
            "currency": "USD",
            "unrounded": "41",
            "rounding": "once, half up to 0.01",
            "steps": [
                {"label": "tier 1, up to 5", "quantity": "5", "unit_amount": "7", "amount": "35"},
                {"label": "tier 2, above 5", "quantity": "1", "unit_amount": "6", "amount": "6"},
            ],
        }

    @pytest.mark.parametrize(
        ("currency", "amount"), [("JPY", "1"), ("USD", "0.50"), ("KWD", "0.500"), ("CLF", "0.5000")]
    )
    def test_the_amount_has_the_digits_of_its_currency(self, currency: str, amount: str) -> None:
        assert quote({"model": "per_unit", "unit_amount": "0.5"}, currency, quantity="1")["amount"] == amount

    def test_intervals_count_within_the_period_only(self) -> None:
        intervals = [
            ["2025-12-31T23:00:00Z", "2026-01-01T01:00:00Z"],
            ["2026-01-31T23:00:00+00:00", "2026-03-01T00:00:00Z"],
        ]
        answer = quote(PRORATED, period="2026-01", intervals=intervals)
        assert (answer["amount"], answer["unrounded"]) == ("0.02", "0.01881720430107526882")

    def test_a_zone_and_microseconds_are_exact(self) -> None:
        intervals = [["2026-01-01T01:00:00.000001+01:00", "2026-02-01T00:00:00Z"]]
        step = quote(PRORATED, period="2026-01", intervals=intervals)["steps"][0]
        assert step["label"] == "2678399.999999 of 2678400 seconds of 2026-01"

    def test_an_interval_of_no_length_costs_nothing(self) -> None:
        moment = "2026-01-05T00:00:00Z"
        assert quote(PRORATED, period="2026-01", intervals=[[moment, moment]])["amount"] == "0.00"

    def test_no_intervals_cost_nothing(self) -> None:
        assert quote(PRORATED, period="2026-01", intervals=[])["amount"] == "0.00"

    def test_events_or_their_sum_or_both(self) -> None:
        events = ["50", "100", "250", "400"]
        assert quote(FEES, events=events) == quote(FEES, events=events, quantity="800.0")
        assert quote({"model": "percentage", "rate": "0.013"}, quantity="800")["amount"] == "10.40"

    def test_a_count_may_be_a_json_integer(self) -> None:
        events = ["50", "100", "250", "400"]
        assert quote(FEES | {"free_events": 3}, events=events) == quote(FEES | {"free_events": "3"}, events=events)

    def test_hours_or_intervals_for_an_hourly_price(self) -> None:
        price = {"model": "hourly_capped", "unit_amount": "0.01", "cap_amount": "7"}
        day = [["2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"]]
        assert (
            quote(price, quantity="24")["amount"] == quote(price, period="2026-10", intervals=day)["amount"] == "0.24"
        )
        assert quote(price, quantity="744")["amount"] == "7.00"

    def test_a_flat_fee_is_due_once_unless_more_are_taken(self) -> None:
        price, last_day = {"model": "flat", "unit_amount": "5"}, ["2026-10-31T23:59:59Z", "2026-12-01T00:00:00Z"]
        assert quote(price)["amount"] == quote(price, period="2026-10", intervals=[last_day])["amount"] == "5.00"
        assert quote(price, period="2026-11", intervals=[])["amount"] == "0.00"
        assert quote(price, quantity="3")["amount"] == "15.00"

    def test_the_largest_and_the_smallest(self) -> None:
        answer = quote({"model": "per_unit", "unit_amount": "9" * 18}, quantity="9" * 18)
        assert answer["amount"] == str((10**18 - 1) ** 2) + ".00"
        assert (
            quote({"model": "per_unit", "unit_amount": "1e-30"}, quantity="1e-30")["unrounded"] == "0." + "0" * 59 + "1"
        )


def request(**changes: Any) -> dict[str, Any]:
    return {"currency": "USD", "price": PER_UNIT, "quantity": "1"} | changes


def elapsed(intervals: object, period: object = "2026-10") -> dict[str, Any]:
    return {"currency": "USD", "price": PRORATED, "period": period, "intervals": intervals}


FROM, TO = "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"
MISTAKES: list[tuple[dict[str, Any], str]] = [
    (request(currency=None), "currency"),
    (request(currency=""), "currency"),
    (request(currency="usd"), "currency"),
    (request(currency="USDX"), "currency"),
    (request(currency="XQQ"), "currency"),
    ({"price": PER_UNIT, "quantity": "1"}, "currency"),
    ({"currency": "USD", "quantity": "1"}, "price"),
    ({"currency": "USD", "price": PER_UNIT}, "quantity"),
    *[
        (request(quantity=value), "quantity")
        for value in (None, 1, 1.5, True, [], {}, "", "x", "NaN", "Infinity", "1e308", "1e18", "-1", "-0.1")
    ],
    (request(price="code"), "price"),
    (request(price={"model": "nonsense"}), "price.model"),
    (request(colour="red"), "colour"),
    (request(events=["1"]), "events"),
    (request(period="2026-10"), "period"),
    (request(price=PRORATED), "period"),
    (request(price=PRORATED, period="2026-10", intervals=[[FROM, TO]]), "quantity"),
    (request(price=FEES), "events"),
    (request(price=FEES, events="1"), "events"),
    (request(price=FEES, events=[1]), "events[0]"),
    (request(price=FEES, events=["1", "-1"]), "events[1]"),
    (request(price=FEES, events=["1", "1"]), "quantity"),
    (elapsed(None), "intervals"),
    (elapsed({}), "intervals"),
    (elapsed([FROM, TO]), "intervals[0]"),
    (elapsed([[FROM]]), "intervals[0]"),
    (elapsed([[FROM, TO, TO]]), "intervals[0]"),
    (elapsed([[FROM, TO], [TO, FROM]]), "intervals[1]"),
    (elapsed([[FROM, None]]), "intervals[0][1]"),
    *[
        (elapsed([[value, TO]]), "intervals[0][0]")
        for value in (
            1,
            "",
            "2026-10-01",
            "2026-10-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-10-32T00:00:00Z",
            "now",
            "2026-10-01T24:00:00Z",
            "2026-10-01T00:00:60Z",
            "2026-10-01T00:00:00.1234567Z",
            "0001-01-01T00:00:00+23:00",
            "2026-10-01T00:00:00+99:99",
            "20261001T000000Z",
        )
    ],
    *[
        (elapsed([], period), "period")
        for period in (None, 2026, "", "2026", "2026-13", "1999-12", "2200-01", "x" * 9999)
    ],
]

BROKEN: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b" \n", "empty"),
    (b"{", "not JSON"),
    (b"quantity=6", "not JSON"),
    (b'{"currency": "USD",}', "not JSON"),
    (b"\xff\xfe", "not UTF-8"),
    (b'{"quantity": NaN}', "NaN"),
    (b'{"quantity": Infinity}', "Infinity"),
    (b'{"quantity": -Infinity}', "-Infinity"),
    (b'{"currency": "USD", "currency": "EUR"}', "'currency' appears twice"),
    (b"[" * 100_000, "too deeply"),
    (b'{"a":' * 100_000, "too deeply"),
    (b'"USD"', "must be an object"),
    (b"[]", "must be an object"),
    (b"null", "must be an object"),
    (b"1" * 100_000, "must be an object"),
    (b"1e999999999", "must be an object"),
    (
        b'{"currency": "USD", "price": {"model": "per_unit", "unit_amount": ' + b"9" * 10_000 + b"}}",
        "price.unit_amount",
    ),
    (
        b'{"currency": "USD", "price": {"model": "percentage", "rate": "0", "free_events": 1e999999}}',
        "price.free_events",
    ),
    (
        b'{"currency": "USD", "price": {"model": "percentage", "rate": "0", "free_events": 1e-9999999}}',
        "price.free_events",
    ),
    (b'{"currency": "US\\u0000", "price": 1}', "currency"),
    (b'{"currency": "USD", "price": {"model": "\\ud800"}}', "price.model"),
    (b" " * (LARGEST_REQUEST + 1), "larger than"),
]


class TestMistakes:
    @pytest.mark.parametrize(("body", "field"), MISTAKES)
    def test_a_mistake_ends_in_a_sentence_that_names_the_field(self, body: dict[str, Any], field: str) -> None:
        code, output, sentence = ask(body)
        assert (code, output) == (2, "")
        assert sentence.startswith("vault: ")
        assert field in sentence
        assert sentence.count("\n") == 1
        assert len(sentence) < 400

    @pytest.mark.parametrize(("body", "says"), BROKEN, ids=range(len(BROKEN)))
    def test_what_cannot_be_read_is_refused_in_a_sentence(self, body: bytes, says: str) -> None:
        code, output, sentence = ask(body)
        assert (code, output) == (2, "")
        assert says in sentence
        assert len(sentence) < 400


class TestProcess:
    """The command itself: without a database, without a home, within a second."""

    NOWHERE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "VAULT_HOME": "/proc/nowhere", "LC_ALL": "C"}

    def run(self, body: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "manage.py"), "quote", *options]
        return subprocess.run(
            command, input=body, capture_output=True, text=True, cwd="/", env=os.environ | self.NOWHERE
        )

    def test_answers_within_a_second(self) -> None:
        started = time.monotonic()
        done = self.run(json.dumps({"currency": "USD", "price": GRADUATED, "quantity": "6"}))
        assert (done.returncode, done.stderr, json.loads(done.stdout)["amount"]) == (0, "", "41.00")
        assert time.monotonic() - started < 1

    def test_a_mistake_exits_with_two_and_no_traceback(self) -> None:
        done = self.run('{"currency": "USD", "price": {"model": "per_unit", "unit_amount": "1", "\\ud800\\n": 1}}')
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("vault: ")
        assert "Traceback" not in done.stderr
