"""Voiding an invoice: what it leaves, when it is refused, and who may, by page and by API."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils.html import strip_tags

from billing import credit_notes
from billing.models import Invoice, LedgerEntry
from collections_ import charging, collecting, paying, voiding
from collections_.models import Case, CaseEvent, ChargeAttempt
from core import audit
from core.errors import Conflict, Refused
from monitoring import invariants
from tests.collections_ import factories
from tests.collections_.conftest import person, signed_in
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)
FIN = "user:finance@example.com"


@pytest.fixture
def finance(transactional_db: None) -> Client:
    return signed_in("finance")


@pytest.fixture
def made(finance: Client) -> Invoice:
    return factories.invoice(factories.account("acme"))


def void(made: Invoice) -> Invoice:
    return voiding.void(made.pk, reason="Wrong party.", actor=FIN, on=DUE)


def test_reverses_it_and_closes_the_case(made: Invoice) -> None:
    collecting.run(DUE + timedelta(days=1))
    assert void(made).status == void(made).status == "void"
    assert sum(LedgerEntry.objects.filter(ledger_account="receivable").values_list("amount", flat=True)) == 0
    assert Case.objects.get().state == "closed"
    assert CaseEvent.objects.filter(kind="void").first().text == f"{made.number} is void: Wrong party."  # type: ignore[union-attr]
    assert all(invariants.check(one).holds for one in invariants.collect())
    following = factories.invoice(made.account, month=9)
    assert following.number != made.number, "its number stays used"


def test_shows_nothing_of_it_as_outstanding(made: Invoice, finance: Client) -> None:
    void(made)
    made.refresh_from_db()
    assert made.outstanding == made.total > 0 == made.owed
    shown = finance.get("/invoices/?status=void")
    assert [row["outstanding"] for row in shown.context["totals"]] == [0]
    assert [row.get_cell_value("outstanding") for row in shown.context["table"].rows] == ["0"]
    page = " ".join(strip_tags(finance.get(f"/invoices/{made.number}/").content.decode()).split())
    assert "Outstanding 0.00 USD" in page


def test_is_refused_once_something_was_paid(made: Invoice) -> None:
    paying.record(
        account_id=made.account_id, currency="USD", amount=Decimal(1), method="cash", reference="t", received_on=DUE,
        actor=FIN,
    )  # fmt: skip
    with pytest.raises(Conflict, match="paid or credited in part"):
        void(made)


def test_is_refused_once_something_was_taken_back(made: Invoice) -> None:
    credit_notes.issue(made.pk, {made.lines.get().pk: Decimal(1)}, reason="Slow.", actor=FIN, on=DUE)
    with pytest.raises(Conflict, match="paid or credited in part"):
        void(made)


def test_is_refused_while_a_charge_was_not_answered(made: Invoice) -> None:
    factories.card(made.account)
    charging.request(made.pk, actor=FIN, as_of=DUE)
    with pytest.raises(Conflict, match="not answered yet"):
        void(made)
    charging.charge_waiting()
    assert ChargeAttempt.objects.get().outcome == "succeeded"


@pytest.mark.parametrize(("sold_in", "bought_in", "tax", "refused"), [
    ("DE", "US", 0, True), ("US", "DE", 19, True), ("US", "DE", 0, False), ("US", "US", 6, False)])  # fmt: skip
def test_is_a_credit_note_where_the_law_wants_one(
    made: Invoice, sold_in: str, bought_in: str, tax: int, refused: bool
) -> None:
    with audit.acting(factories.ACTOR), connection.cursor() as cursor:
        cursor.execute("alter table billing_invoice disable trigger billing_invoice_stays_issued")
        Invoice.objects.filter(pk=made.pk).update(
            sold_by={"country": sold_in}, bill_to={"country": bought_in}, tax=tax, subtotal=made.total - tax
        )
        cursor.execute("alter table billing_invoice enable trigger billing_invoice_stays_issued")
    if refused:
        with pytest.raises(Refused, match="credit note"):
            void(made)
    else:
        assert void(made).status == "void"


def test_the_database_refuses_one_on_which_money_moved(made: Invoice) -> None:
    with pytest.raises(DatabaseError, match="moved_no_money"), audit.acting(FIN), connection.cursor() as cursor:
        cursor.execute("update billing_invoice set status = 'void', settled = 1 where status = 'open'")


def test_the_page_says_what_it_does_and_does_it(made: Invoice, finance: Client) -> None:
    assert f"/invoices/{made.number}/void/" in finance.get(f"/invoices/{made.number}/").content.decode()
    page = finance.get(f"/invoices/{made.number}/void/").content.decode()
    assert "75.85" in page and "Its number stays used" in " ".join(page.split())
    assert "This field is required" in finance.post(f"/invoices/{made.number}/void/", {"reason": ""}).content.decode()
    answer = finance.post(f"/invoices/{made.number}/void/", {"reason": "Wrong party."}, follow=True).content.decode()
    assert "is void. The next run bills its usage again." in answer
    assert "/void/" not in answer
    again = finance.post(f"/invoices/{made.number}/void/", {"reason": "x"}, follow=True)
    assert again.status_code == 200


def test_the_others_may_not(made: Invoice) -> None:
    for role in ("support", "collections", "operator", "auditor"):
        person(role)
        with pytest.raises(Refused):
            voiding.void(made.pk, reason="x", actor=f"user:{role}@example.com", on=DUE)
