"""Money for an invoice that was written off: it is recovered, in the ledger, in its status and in its history."""

from decimal import Decimal

import pytest

from billing import settling
from billing.models import Invoice, LedgerEntry
from collections_ import collecting, paying
from collections_.models import Payment
from core.models import AuditEntry
from monitoring import invariants
from tests.collections_ import factories
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "user:ada@example.com"


@pytest.fixture
def lost() -> Invoice:
    """75.85 that were written off."""
    made = factories.invoice(factories.account("acme"))
    settling.write_off(made.pk, reason="bankrupt", actor=ADA, on=DUE)
    return made


def pay(owner: int, amount: str, reference: str = "b1", **more: int) -> Payment:
    return paying.record(
        account_id=owner,
        currency="USD",
        amount=Decimal(amount),
        method="bank_transfer",
        reference=reference,
        received_on=DUE,
        actor=ADA,
        **more,
    )


def balance(ledger_account: str) -> Decimal:
    return sum(LedgerEntry.objects.filter(ledger_account=ledger_account).values_list("amount", flat=True), Decimal(0))


def sound() -> bool:
    return all(invariants.check(one).holds for one in invariants.collect())


def test_a_bank_payment_recovers_it(lost: Invoice) -> None:
    assert paying.preview(lost.account_id, "USD", Decimal(20)).shares == ((lost.pk, Decimal(20)),)
    pay(lost.account_id, "20")
    lost.refresh_from_db()
    assert (lost.status, lost.outstanding, balance("write_off")) == (
        "uncollectible",
        Decimal("55.85"),
        Decimal("55.85"),
    )
    payment = pay(lost.account_id, "60", "b2")
    lost.refresh_from_db()
    assert (lost.status, lost.payment_status, payment.applied) == ("paid", "paid", Decimal("55.85"))
    assert (balance("write_off"), balance("receivable"), balance("unapplied")) == (0, 0, Decimal("-4.15"))
    assert AuditEntry.objects.filter(table="billing_invoice", row=str(lost.pk), after__status="paid").exists()
    assert sound()


def test_what_is_still_owed_comes_first_unless_the_payer_chose(lost: Invoice) -> None:
    owed = factories.invoice(lost.account, "10", month=11)
    assert pay(lost.account_id, "10").allocations.get().invoice == owed
    other = factories.invoice(lost.account, "10", month=9)
    assert pay(lost.account_id, "10", "b2", first=lost.pk).allocations.get().invoice == lost
    other.refresh_from_db()
    assert other.outstanding == 10


def test_money_that_lay_unapplied_recovers_it_the_next_day() -> None:
    owner = factories.account("acme")
    pay(owner.pk, "5")
    made = factories.invoice(owner)
    settling.write_off(made.pk, reason="bankrupt", actor=ADA, on=DUE)
    collecting.run(DUE)
    made.refresh_from_db()
    assert (made.settled, balance("write_off")) == (5, Decimal("70.85"))
    assert sound()
