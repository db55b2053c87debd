"""Quotes by API: the same contract as the command, a product's own price, and nothing written."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from billing import pricing, quoting
from billing.models import Product
from core import clock
from core.models import AuditEntry
from tests.billing.api.conftest import KeyOf, call
from tests.factories import ADA, account, staff

pytestmark = pytest.mark.django_db
INLINE = {"currency": "USD", "price": {"model": "per_unit", "unit_amount": "0.05"}, "quantity": "6"}
HALF = [["2026-10-01T00:00:00Z", "2026-10-16T12:00:00Z"]]
STORED = {"currency": "USD", "product": "standard-1x", "period": "2026-10", "intervals": HALF}


@pytest.fixture
def acme() -> Account:
    return account("acme")


@pytest.fixture
def key(key_of: KeyOf, acme: Account) -> str:
    return key_of(acme, ["quotes:write"])


def command(body: str) -> tuple[int, Any, str]:
    """What ``manage.py quote`` answers: exit code, document, sentence."""
    out, errors = io.StringIO(), io.StringIO()
    code = quoting.main(io.BytesIO(body.encode()), out, errors)
    return code, json.loads(out.getvalue() or "null"), errors.getvalue()


class TestInline:
    def test_answers_with_steps(self, key: str) -> None:
        answer = call("post", "/quotes", key, INLINE)
        assert answer.status_code == 200
        assert answer.json()["amount"] == "0.30" and answer.json()["steps"][0]["quantity"] == "6"

    @pytest.mark.parametrize(
        "body",
        [
            json.dumps(INLINE),
            '{"currency": "USD", "price": {"model": "per_unit", "unit_amount": "0.05"}, "quantity": "6", "x": 1}',
            '{"currency": "USD", "price": {"model": "per_unit", "unit_amount": 0.05}, "quantity": "6"}',
            '{"currency": "USD", "currency": "EUR", "price": {}, "quantity": "6"}',
            '{"currency": "XXX", "price": {"model": "per_unit", "unit_amount": "1"}, "quantity": "6"}',
            '{"currency": "USD", "price": {"model": "per_unit", "unit_amount": "1"}, "quantity": "-6"}',
            '{"currency": "USD", "price": {"model": "prorated", "unit_amount": "1"}, "period": "2026-13"}',
            '{"currency": "USD", "price": {"model": "nonsense"}, "quantity": "6"}',
            "[]", "null", "{", " ", '"', "NaN", '{"currency": NaN}', "[" * 5000,
        ],
    )  # fmt: skip
    def test_says_what_the_command_says(self, key: str, body: str) -> None:
        answer, (code, document, sentence) = call("post", "/quotes", key, body), command(body)
        if code == 0:
            assert (answer.status_code, answer.json()) == (200, document)
        else:
            assert answer.status_code == 400 and answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["code"] in ("invalid", "invalid_month")
            assert sentence == f"vault: {answer.json()['detail']}\n"

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=5) | st.integers(-5, 5) | st.sampled_from(["0.1", "USD", "1"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["currency", "price", "product", "at", "model", "quantity", "tiers"]), inner
                )
            ),
            max_leaves=8,
        )
    )
    def test_answers_anything_with_a_document(self, key: str, body: Any) -> None:
        answer = call("post", "/quotes", key, body)
        assert answer.status_code in (200, 400, 404), answer.content

    def test_another_kind_of_body_is_a_problem(self, key: str) -> None:
        answer = Client(headers={"Authorization": f"Bearer {key}"}).post("/api/v1/quotes", {"a": "b"})
        assert answer.status_code == 415 and answer.json()["code"] == "unsupported_media_type"


class TestStored:
    def test_takes_the_products_own_price(self, key: str) -> None:
        answer = call("post", "/quotes", key, STORED).json()
        assert answer["amount"] == "12.50" and answer["product"] == "standard-1x"
        assert answer["price"] == {"model": "prorated", "unit_amount": "25.00"} and answer["valid_to"] is None

    def test_takes_the_version_in_force_at_that_moment(self, key: str) -> None:
        staff()
        begin = datetime.combine(clock.today() + timedelta(days=20), datetime.min.time(), tzinfo=UTC)
        pricing.schedule(
            product=Product.objects.get(code="standard-1x"),
            currency="USD",
            terms={"model": "prorated", "unit_amount": "31.00"},
            unit="month",
            valid_from=begin,
            now=clock.now(),
            actor=ADA,
            reason="Costs went up",
        )
        assert call("post", "/quotes", key, STORED).json()["amount"] == "12.50"
        later = STORED | {"at": begin.isoformat()}
        assert call("post", "/quotes", key, later).json()["amount"] == "15.50"

    @pytest.mark.parametrize(
        ("changed", "status", "field"),
        [
            ({"product": "nothing"}, 404, None),
            ({"currency": "GBP"}, 404, None),
            ({"at": "2001-01-01T00:00:00Z"}, 404, None),
            ({"at": "yesterday"}, 400, "at"),
            ({"price": {}}, 400, "price"),
            ({"product": 5}, 400, "product"),
            ({"currency": "usd"}, 400, "currency"),
            ({"quantity": "3"}, 400, "quantity"),
            ({"intervals": [["2026-10-02T00:00:00Z", "2026-10-01T00:00:00Z"]]}, 400, "intervals[0]"),
        ],
    )
    def test_says_what_is_wrong(self, key: str, changed: Any, status: int, field: str | None) -> None:
        answer = call("post", "/quotes", key, STORED | changed)
        assert answer.status_code == status and answer.json().get("field") == field, answer.json()


def test_writes_nothing(key: str) -> None:
    call("post", "/quotes", key, STORED)  # the key's last use is noted once a minute
    before = AuditEntry.objects.count()
    with connection.execute_wrapper(_only_reads):
        assert call("post", "/quotes", key, STORED, **{"Idempotency-Key": "q1"}).status_code == 200
    assert AuditEntry.objects.count() == before


def _only_reads(execute: Any, statement: str, *rest: Any) -> Any:
    assert statement.lstrip().lower().startswith(("select", "with")), statement
    return execute(statement, *rest)


def test_takes_the_scope_and_a_key(key_of: KeyOf, acme: Account) -> None:
    assert call("post", "/quotes", key_of(acme, ["invoices:read"]), INLINE).status_code == 403
    assert call("post", "/quotes", "nonsense", INLINE).status_code == 401
    assert call("post", "/quotes", key_of("iris", ["quotes:write"]), INLINE).status_code == 200
