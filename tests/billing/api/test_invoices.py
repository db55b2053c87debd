"""Invoices by API: exact strings, stable shapes, and nobody else's numbers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts import minting
from accounts.models import Account, User
from billing.models import Invoice
from tests import factories

pytestmark = pytest.mark.django_db
BEGIN, HALF = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 16, 12, tzinfo=UTC)


class Caller:
    """A program with one key."""

    def __init__(self, secret: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def get(self, path: str, **parameters: Any) -> Any:
        return self.client.get(f"/api/v1/invoices{path}", parameters)


@pytest.fixture
def acme() -> Account:
    return factories.account("acme", region="DC")


@pytest.fixture
def globex() -> Account:
    return factories.account("globex", currency="JPY")


@pytest.fixture
def issued(acme: Account, globex: Account) -> dict[str, Invoice]:
    """October of two accounts, by account."""
    factories.staff()
    factories.use(
        [
            *factories.ran("w1", "standard-2x", BEGIN, None, "acme", component="web"),
            *factories.ran("w2", "standard-1x", BEGIN, HALF, "acme", component="worker"),
            *factories.ran("g1", "standard-1x", BEGIN, None, "globex"),
        ]
    )
    factories.issue(factories.build())
    return {invoice.account.code: invoice for invoice in Invoice.objects.select_related("account")}


@pytest.fixture
def customer(acme: Account) -> Caller:
    return Caller(minting.for_account(acme, ["invoices:read"], actor="system:test").text)


@pytest.fixture
def finance(issued: dict[str, Invoice]) -> Caller:
    ada = User.objects.get(email="ada@example.com")
    return Caller(minting.for_staff(ada, ["invoices:read"], actor="system:test").text)


def test_lists_with_exact_strings(finance: Caller, issued: dict[str, Invoice]) -> None:
    answer = finance.get("", account="acme").json()
    (found,) = answer["results"]
    expected = {"subtotal": "62.50", "tax": "3.75", "total": "66.25", "tax_rate": "0.06", "currency": "USD"}
    assert {name: found[name] for name in expected} == expected
    assert (found["number"], found["period_start"], found["period_end"]) == (
        issued["acme"].number,
        "2026-10-01",
        "2026-11-01",
    )
    assert answer["next"] is None


def test_writes_a_currency_without_cents(finance: Caller, issued: dict[str, Invoice]) -> None:
    found = finance.get(f"/{issued['globex'].number}").json()
    assert found["total"] == f"{issued['globex'].total:.0f}"


@pytest.mark.parametrize(
    ("parameters", "count"),
    [({}, 2), ({"month": "2026-10"}, 2), ({"month": "2026-09"}, 0), ({"status": "open"}, 2), ({"status": "paid"}, 0)],
)
def test_filters(finance: Caller, parameters: dict[str, str], count: int) -> None:
    assert len(finance.get("", **parameters).json()["results"]) == count


@pytest.mark.parametrize(("name", "value"), [("month", "October"), ("status", "nonsense"), ("payment_status", "x")])
def test_refuses_a_filter_that_is_none(finance: Caller, name: str, value: str) -> None:
    answer = finance.get("", **{name: value})
    assert (answer.status_code, answer.json()["field"]) == (400, name)


def test_pages_by_cursor(finance: Caller) -> None:
    first = finance.get("", limit=1).json()
    assert len(first["results"]) == 1
    second = finance.client.get(first["next"]).json()
    assert len(second["results"]) == 1
    assert second["results"] != first["results"]


def test_lists_lines_in_the_order_of_the_document(customer: Caller, issued: dict[str, Invoice]) -> None:
    lines = customer.get(f"/{issued['acme'].number}/lines").json()["results"]
    assert [(line["component"], line["quantity"], line["unit_amount"], line["amount"]) for line in lines] == [
        (line.component, f"{line.quantity.normalize():f}", f"{line.unit_amount.normalize():f}", f"{line.amount:.2f}")
        for line in issued["acme"].lines.order_by("position")
        if line.unit_amount is not None
    ]


def test_explains_every_amount(customer: Caller, issued: dict[str, Invoice]) -> None:
    explained = customer.get(f"/{issued['acme'].number}/explain").json()["results"]
    worker = next(one for one in explained if one["usage"] == "1339200")
    assert (worker["amount"], worker["usage_unit"], worker["resources"]) == ("12.50", "seconds", 1)
    assert worker["price"]["terms"]["model"] == "prorated"
    assert sum(Decimal(step["amount"]) for step in worker["steps"]) == Decimal(worker["unrounded"])


def test_answers_with_the_pdf(customer: Caller, issued: dict[str, Invoice]) -> None:
    answer = customer.get(f"/{issued['acme'].number}/pdf")
    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")


@pytest.mark.parametrize("path", ["", "/lines", "/explain", "/pdf"])
def test_another_account_s_invoice_does_not_exist(customer: Caller, issued: dict[str, Invoice], path: str) -> None:
    answer = customer.get(f"/{issued['globex'].number}{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == customer.get(f"/NONE{path}").json()["detail"]
    assert len(customer.get("").json()["results"]) == 1


def test_a_customer_sees_no_draft(customer: Caller) -> None:
    factories.staff()
    factories.use(factories.ran("w1", "standard-2x", BEGIN, None, "acme"))
    factories.build()
    assert customer.get("").json()["results"] == []


@pytest.mark.parametrize("path", ["", "/X", "/X/lines", "/X/explain", "/X/pdf"])
def test_needs_the_scope(acme: Account, path: str) -> None:
    other = Caller(minting.for_account(acme, ["usage:read"], actor="system:test").text)
    assert other.get(path).status_code == 403
    assert Client().get(f"/api/v1/invoices{path}").status_code == 401


def test_a_customer_does_not_read_what_is_for_the_house(customer: Caller, acme: Account) -> None:
    from billing import adjusting

    factories.staff()
    factories.use(factories.ran("w1", "standard-2x", BEGIN, None, "acme"))
    run = factories.build()
    line = Invoice.objects.get().lines.get()
    adjusting.change_line(line.pk, amount=Decimal(1), reason="they shouted", actor=factories.ADA)
    factories.issue(run)
    (explained,) = customer.get(f"/{Invoice.objects.get().number}/explain").json()["results"]
    assert (explained["reason"], explained["rated"], explained["amount"]) == ("", "50.00", "1.00")
