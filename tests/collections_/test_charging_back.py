"""Chargebacks: what a bank takes back is returned in the books, and what it had settled is owed again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from billing import settling
from billing.models import Invoice, LedgerEntry
from collections_ import charging, charging_back, collecting, paying
from collections_.models import Allocation, Case, CaseEvent, ChargeAttempt, Chargeback, Payment
from core.errors import Conflict, Invalid, NotFound, Refused
from monitoring import invariants
from tests.collections_ import factories
from tests.collections_.factories import DUE, YESTERDAY

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "user:ada@example.com"
LATER = DUE + timedelta(days=5)


@pytest.fixture
def paid() -> Payment:
    """75.85 charged to a card and settled."""
    owner = factories.account("acme")
    factories.card(owner)
    charging.pay_now(factories.invoice(owner).pk, actor=ADA, as_of=DUE)
    return Payment.objects.get()


def taken(payment: Payment, amount: str = "75.85", reference: str = "dp_1", **more: object) -> Chargeback:
    given = {"reason": "fraudulent", "taken_on": LATER, "actor": ADA} | more
    return charging_back.record(payment.pk, amount=Decimal(amount), reference=reference, **given)  # type: ignore[arg-type]


def balances() -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for name, amount in LedgerEntry.objects.values_list("ledger_account", "amount"):
        sums[name] = sums.get(name, Decimal(0)) + amount
    return {name: amount for name, amount in sums.items() if amount}


def sound() -> bool:
    return [one.name for one in invariants.collect() if not invariants.check(one).holds] == []


def test_reopens_the_invoice_and_tells_a_case(paid: Payment) -> None:
    taken(paid)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.payment_status, invoice.outstanding) == ("open", "declined", Decimal("75.85"))
    assert balances() == {"receivable": Decimal("75.85"), "revenue": Decimal("-75.85")}
    told = CaseEvent.objects.get(case=Case.objects.get(state="open"), kind="chargeback").text
    assert told == f"Chargeback dp_1 over 75.85 USD (fraudulent): 75.85 USD of {invoice.number} is owed again"
    assert sound()
    collecting.run(LATER + timedelta(days=1))
    assert ChargeAttempt.objects.count() == 1, "the card is not charged again"
    with pytest.raises(Refused, match="took back a payment"):
        charging.request(invoice.pk, actor=ADA, as_of=LATER)


def test_a_repeat_changes_nothing_and_another_of_its_name_is_refused(paid: Payment) -> None:
    assert taken(paid) == taken(paid)
    assert Chargeback.objects.count() == 1
    with pytest.raises(Conflict, match="recorded already"):
        taken(paid, "1")


def test_takes_what_lies_unapplied_first_and_then_the_newest(paid: Payment) -> None:
    owner = paid.account
    first, second = (factories.invoice(owner, "10", month=month) for month in (8, 9))
    payment = paying.record(account_id=owner.pk, currency="USD", amount=Decimal(25), method="cash", reference="t",
                            received_on=DUE, actor=ADA)  # fmt: skip
    taken(payment, "8")
    payment.refresh_from_db()
    assert (payment.applied, payment.refunded) == (17, 8)
    newest = Allocation.objects.filter(payment=payment).order_by("-pk")[0].invoice
    newest.refresh_from_db()
    assert (newest.status, newest.outstanding) == ("open", 3)
    taken(payment, "17", "dp_2")
    assert {one.outstanding for one in Invoice.objects.filter(pk__in=[first.pk, second.pk])} == {10}
    assert sound()


def test_of_a_recovered_invoice_is_lost_again() -> None:
    made = factories.invoice(factories.account("acme"))
    settling.write_off(made.pk, reason="bankrupt", actor=ADA, on=DUE)
    payment = paying.record(account_id=made.account_id, currency="USD", amount=Decimal(20), method="cash",
                            reference="t", received_on=DUE, actor=ADA)  # fmt: skip
    taken(payment, "20")
    assert balances() == {"write_off": Decimal("75.85"), "revenue": Decimal("-75.85")}
    assert sound()


@pytest.mark.parametrize(("wrong", "field"), [
    ({"amount": "75.86"}, "amount"), ({"amount": "0"}, "amount"), ({"amount": "1.001"}, "amount"),
    ({"amount": "NaN"}, "amount"), ({"reference": " "}, "reference"), ({"reason": ""}, "reason"),
    ({"taken_on": DUE - timedelta(days=1)}, "taken_on"),
    ({"taken_on": DUE.replace(year=2062)}, "taken_on"),
])  # fmt: skip
def test_says_what_is_wrong(paid: Payment, wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        taken(paid, **wrong)  # type: ignore[arg-type]
    assert refused.value.field == field
    with pytest.raises(NotFound):
        charging_back.record(4711, amount=Decimal(1), reference="x", reason="x", taken_on=DUE, actor=ADA)


@pytest.mark.parametrize(("statement", "because"), [
    ("update collections_chargeback set amount = 1", "append-only"),
    ("delete from collections_allocationreversal", "append-only"),
    ("insert into collections_chargeback (payment_id, reference, amount, reason, taken_on, recorded_by, recorded_at)"
     " select payment_id, 'dp_2', 1, 'x', taken_on, '', now() from collections_chargeback", "does not know"),
    ("insert into collections_allocationreversal (chargeback_id, allocation_id, amount) select chargeback_id,"
     " allocation_id, amount from collections_allocationreversal", "one_reversal_per|than it was"),
    ("update collections_payment set applied = applied - 1, refunded = refunded + 1", "its allocations sum to|spent"),
])  # fmt: skip
def test_the_database_refuses(paid: Payment, statement: str, because: str) -> None:
    taken(paid, "50")
    with pytest.raises(DatabaseError, match=because), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('vault.actor', 'user:mallory@example.com', true)")
        cursor.execute(statement)
        cursor.execute("set constraints all immediate")


def test_the_page_asks_says_and_does(paid: Payment, agent: Client) -> None:
    assert "Record a chargeback" in agent.get(f"/payments/{paid.pk}/").content.decode()
    page = agent.get(f"/payments/{paid.pk}/chargeback/").content.decode()
    assert "75.85" in page and "owed again" in page
    form = {"amount": "75.85", "reference": "dp_9", "reason": "fraud", "taken_on": YESTERDAY.isoformat()}
    page = agent.post(f"/payments/{paid.pk}/chargeback/", form | {"amount": "99"}).content.decode()
    assert "At most" in page
    page = agent.post(f"/payments/{paid.pk}/chargeback/", form, follow=True).content.decode()
    assert "dp_9" in page and "Returned" in page and "Record a chargeback" not in page
