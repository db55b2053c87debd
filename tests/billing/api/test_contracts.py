"""Contracts for programs: agreed on by finance, read by the account, ended once."""

from typing import Any

import pytest

from accounts.models import Account
from billing.models import Contract
from tests import factories
from tests.billing.api.conftest import KeyOf, call
from tests.factories import account

pytestmark = pytest.mark.django_db
SAID: dict[str, Any] = {
    "account": "acme",
    "name": "Partner",
    "valid_from": "2027-01",
    "terms": {"discounts": [{"name": "Partner", "rate": "0.1"}], "minimum_spend": "20"},
    "prices": [{"product": "basic", "terms": {"model": "prorated", "unit_amount": "5"}, "unit": "month"}],
    "reason": "Signed.",
}


@pytest.fixture
def acme() -> Account:
    factories.staff()
    return account("acme")


def test_is_agreed_on_once_per_key_and_read_by_whom_it_concerns(acme: Account, key_of: KeyOf) -> None:
    made = call("post", "/contracts", key_of("ada"), SAID, **{"Idempotency-Key": "k1"})
    again = call("post", "/contracts", key_of("ada"), SAID, **{"Idempotency-Key": "k2"})
    assert (made.status_code, again.status_code, Contract.objects.count()) == (201, 409, 1)
    said = made.json()
    assert {name: said[name] for name in ("account", "currency", "valid_from", "valid_to", "terms", "prices")} == {
        "account": "acme",
        "currency": "USD",
        "valid_from": "2027-01",
        "valid_to": None,
        "terms": SAID["terms"],
        "prices": SAID["prices"],
    }
    assert [one["name"] for one in call("get", "/contracts", key_of(acme)).json()["results"]] == ["Partner"]
    assert call("get", "/contracts", key_of(account("other"))).json()["results"] == []
    assert call("get", "/contracts?account=other", key_of("ada")).json()["results"] == []


def test_ends_once(acme: Account, key_of: KeyOf) -> None:
    key = call("post", "/contracts", key_of("ada"), SAID).json()["id"]
    ended = call("post", f"/contracts/{key}/end", key_of("ada"), {"valid_to": "2027-04", "reason": "Over."})
    assert (ended.status_code, ended.json()["valid_to"]) == (200, "2027-04")
    again = call("post", f"/contracts/{key}/end", key_of("ada"), {"valid_to": "2027-05", "reason": "Over."})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"valid_from": "January"}, 400, "valid_from"),
        ({"terms": {"minimum_spend": 20}}, 400, "terms.minimum_spend"),
        ({"terms": {"discounts": [{"name": "D", "rate": "2"}]}}, 400, "terms.discounts[0].rate"),
        ({"prices": [{"product": "basic", "terms": {"model": "magic"}, "unit": "x"}]}, 400, "prices.basic.model"),
        ({"account": "nobody"}, 404, None),
        ({"surprise": 1}, 400, "surprise"),
    ],
)
def test_refuses_what_cannot_be(acme: Account, key_of: KeyOf, changed: Any, status: int, field: str | None) -> None:
    answer = call("post", "/contracts", key_of("ada"), SAID | changed)
    assert answer.status_code == status, answer.json()
    assert field is None or field in str(answer.json())
    assert not Contract.objects.exists()
