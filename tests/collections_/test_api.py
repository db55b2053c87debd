"""Payments by the API: an account's key sees its own and nothing else."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, ApiKey
from billing.models import Invoice
from collections_ import charging
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
