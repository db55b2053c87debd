"""Payments by the API: an account's key sees its own and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, ApiKey
from billing.models import Invoice
from collections_ import charging, collecting
from collections_.models import Case
from core import audit, keys
from tests.collections_ import factories
from tests.collections_.conftest import person
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)


def key(scopes: list[str], account: Account | None = None, role: str = "") -> dict[str, Any]:
    """Return the headers of a new key of an account, or of a member of staff."""
    minted = keys.generate("k")
    with audit.acting(factories.ACTOR):
        ApiKey.objects.create(
            name="test",
            prefix=minted.prefix,
            secret_hash=minted.secret_hash,
            scopes=scopes,
            account=account,
            user=person(role) if role else None,
        )
    return {"headers": {"Authorization": f"Bearer {minted.text}"}}


@pytest.fixture
def paid() -> list[Invoice]:
    """Two accounts that paid by card."""
    invoices = []
    for code in ("acme", "other"):
        owner = factories.account(code)
        factories.card(owner)
        invoices.append(factories.invoice(owner))
        charging.pay_now(invoices[-1].pk, actor="user:a@x.y", as_of=DUE)
    return invoices


def test_an_account_sees_its_own_payments(client: Client, paid: list[Invoice]) -> None:
    mine = key(["payments:read"], account=paid[0].account)
    answer = client.get("/api/v1/payments", **mine).json()
    assert [row["account"] for row in answer["results"]] == ["acme"]
    row = answer["results"][0]
    assert (row["amount"], row["allocations"]) == ("75.8500", [{"invoice": paid[0].number, "amount": "75.8500"}])
    assert client.get(f"/api/v1/payments/{row['id']}", **mine).json() == row
    assert client.get("/api/v1/payments?account=other", **mine).json()["results"] == []
    assert client.get(f"/api/v1/payments/{row['id'] + 1}", **mine).status_code == 404


def test_staff_see_all_and_narrow_by_account(client: Client, paid: list[Invoice]) -> None:
    staff = key(["payments:read"], role="finance")
    assert len(client.get("/api/v1/payments", **staff).json()["results"]) == 2
    assert len(client.get("/api/v1/payments?account=other", **staff).json()["results"]) == 1


def test_a_key_without_the_scope_is_refused(client: Client, paid: list[Invoice]) -> None:
    assert client.get("/api/v1/payments", **key(["invoices:read"], account=paid[0].account)).status_code == 403
    assert client.get("/api/v1/payments").status_code == 401


class TestCases:
    @pytest.fixture
    def case(self) -> Case:
        factories.invoice(factories.account("acme"))
        collecting.run(DUE + timedelta(days=1))
        return Case.objects.get()

    def test_lists_what_is_past_due(self, client: Client, case: Case) -> None:
        answer = client.get("/api/v1/cases?state=open", **key(["collections:read"], role="collections")).json()
        assert [(found["account"], found["invoices"]) for found in answer["results"]] == [("acme", 1)]

    def test_a_note_is_written_once_per_key(self, client: Client, case: Case) -> None:
        sender = key(["collections:read", "collections:write"], role="collections")
        sender["headers"] |= {"Idempotency-Key": "n1"}
        path, body = f"/api/v1/cases/{case.pk}/events", {"text": "Will call on Monday"}
        first = client.post(path, body, content_type="application/json", **sender)
        again = client.post(path, body, content_type="application/json", **sender)
        assert (first.status_code, again.json()) == (201, first.json())
        assert case.events.filter(kind="note").count() == 1

    def test_an_empty_note_says_which_field(self, client: Client, case: Case) -> None:
        sender = key(["collections:write"], role="collections")
        answer = client.post(f"/api/v1/cases/{case.pk}/events", {}, content_type="application/json", **sender)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "text")

    def test_a_case_that_is_not_there_is_not_found(self, client: Client) -> None:
        answer = client.get("/api/v1/cases/999999", **key(["collections:read"], role="auditor"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_is_closed_to_accounts_and_to_those_who_may_only_look(self, client: Client, case: Case) -> None:
        owner = key(["payments:read"], account=case.account)
        assert client.get("/api/v1/cases", **owner).status_code == 403
        auditor = key(["collections:write"], role="auditor")
        path = f"/api/v1/cases/{case.pk}/events"
        assert client.post(path, {"text": "x"}, content_type="application/json", **auditor).status_code == 403
