"""The API of accounts, as the platform's own programs use it."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts import minting, registering
from accounts.models import Account, User
from core.models import AuditEntry
from tests.accounts.conftest import ACTOR, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(sam: User) -> str:
    return minting.for_staff(sam, ["accounts:read", "accounts:write"], actor=ACTOR).text


def call(method: str, path: str, key: str, body: Any = None, **headers: str) -> Any:
    client = Client(headers={"Authorization": f"Bearer {key}"} | headers)
    if method == "get":
        return client.get(f"/api/v1{path}")
    return getattr(client, method)(f"/api/v1{path}", json.dumps(body), "application/json")


def test_registers_once_per_idempotency_key(key: str) -> None:
    body = {"code": "initech", "name": "Initech", "payment_terms_days": 30}
    first = call("post", "/accounts", key, body, **{"Idempotency-Key": "a1"})
    again = call("post", "/accounts", key, body, **{"Idempotency-Key": "a1"})
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert Account.objects.count() == 1
    assert AuditEntry.objects.get(table="accounts_account").actor.startswith("key:")


def test_the_same_key_for_another_body_is_refused(key: str) -> None:
    call("post", "/accounts", key, {"code": "a", "name": "A"}, **{"Idempotency-Key": "a1"})
    other = call("post", "/accounts", key, {"code": "b", "name": "B"}, **{"Idempotency-Key": "a1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "X"}, 400, "code"),
        ({"code": "a b", "name": "X"}, 400, "code"),
        ({"code": "x", "name": "X", "currency": "XXX"}, 400, "currency"),
        ({"code": "x", "name": "X", "closed_at": "2026-01-01T00:00:00Z"}, 400, "closed_at"),
        ({"code": "x", "name": "X", "id": 7}, 400, "id"),
        ({"code": "x", "name": "X\u0000"}, 400, "name"),
        ([], 400, ""),
    ],
)
def test_a_mistake_is_a_problem_that_names_the_field(key: str, body: Any, status: int, field: str) -> None:
    answer = call("post", "/accounts", key, body)
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert field in json.dumps(problem) and not Account.objects.exists()


def test_a_taken_code_is_a_conflict(key: str, acme: Account) -> None:
    answer = call("post", "/accounts", key, {"code": "acme", "name": "X"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_details_change_and_the_rest_stays(key: str, acme: Account) -> None:
    answer = call("patch", "/accounts/acme", key, {"name": "Acme Ltd"})
    assert answer.status_code == 200 and answer.json()["email"] == "ap@acme.example"
    assert call("patch", "/accounts/acme", key, {"currency": "EUR"}).status_code == 400
    assert call("patch", "/accounts/nobody", key, {"name": "X"}).status_code == 404


def test_pages_by_cursor_and_searches(key: str) -> None:
    for number in range(5):
        registering.register({"code": f"a{number}", "name": f"Number {number}"}, actor=ACTOR)
    seen, path = [], "/accounts?limit=2"
    while path:
        page = call("get", path, key).json()
        seen += [row["code"] for row in page["results"]]
        path = page["next"].partition("/api/v1")[2] if page["next"] else ""
    assert seen == ["a4", "a3", "a2", "a1", "a0"]
    assert [row["code"] for row in call("get", "/accounts?q=number%203", key).json()["results"]] == ["a3"]


def test_a_role_that_may_not_edit_cannot_by_key_either(acme: Account) -> None:
    auditor = person("au@platform.example", "auditor")
    text = minting.for_staff(auditor, ["accounts:read", "accounts:write"], actor=ACTOR).text
    assert call("get", "/accounts/acme", text).status_code == 200
    assert call("patch", "/accounts/acme", text, {"name": "X"}).status_code == 403


def test_a_session_opens_nothing_here(sam: User) -> None:
    client = Client()
    client.force_login(sam, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/v1/accounts").status_code == 401
