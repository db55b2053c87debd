"""What the database refuses around money, even to raw SQL, and what the invariants' queries would find."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import Invoice
from collections_ import charging, paying, policies
from collections_.models import Payment
from monitoring import invariants
from tests.collections_ import factories
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "user:ada@example.com"
OURS = [one for one in invariants.collect() if one.name.startswith("collections_/")]


@pytest.fixture
def books() -> Invoice:
    """Two accounts; one was charged and paid, the other owes."""
    good, other = factories.account("good"), factories.account("other")
    factories.card(good)
    factories.invoice(other)
    invoice = factories.invoice(good)
    charging.pay_now(invoice.pk, actor=ADA, as_of=DUE)
    return invoice


def refused(statement: str, because: str) -> None:
    with pytest.raises(DatabaseError, match=because), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('vault.actor', 'user:mallory@example.com', true)")
        cursor.execute(statement)
        cursor.execute("set constraints all immediate")


ATTEMPT, PAYMENT = "update collections_chargeattempt set", "update collections_payment set"


@pytest.mark.parametrize(
    ("statement", "because"),
    [
        (f"{ATTEMPT} key = 'another'", "never changes"),
        (f"{ATTEMPT} amount = amount + 1", "never changes"),
        (f"{ATTEMPT} outcome = 'declined', gateway_charge_id = ''", "cannot go from succeeded to declined"),
        (f"{ATTEMPT} gateway_charge_id = 'ch_other'", "has its answer"),
        (f"{ATTEMPT} gateway_charge_id = ''", "has its answer|attempt_succeeds"),
        ("delete from collections_chargeattempt", "kept for ever"),
        (f"{PAYMENT} amount = amount + 1", "never changes"),
        (f"{PAYMENT} applied = applied - 1", "its allocations sum to"),
        (f"{PAYMENT} applied = amount + 1", "payment_not_spent_twice"),
        (f"{PAYMENT} refunded = 1", "payment_not_spent_twice"),
        ("delete from collections_payment", "kept for ever"),
        ("update collections_allocation set amount = 1", "append-only"),
        ("delete from collections_allocation", "append-only"),
        ("truncate collections_allocation", "append-only|foreign key"),
        (
            "insert into collections_allocation (payment_id, invoice_id, amount) select p.id, i.id, 1"
            " from collections_payment p, billing_invoice i where i.account_id <> p.account_id",
            "another account",
        ),
        (
            "insert into collections_payment (account_id, currency, amount, applied, refunded, method, reference,"
            " received_on, recorded_by, recorded_at) select account_id, currency, 1, 0, 0, method, reference,"
            " received_on, '', now() from collections_payment",
            "one_payment_per_reference",
        ),
        ("update collections_dunningpolicy set steps = '[]'", "publish a new version"),
    ],
)
def test_the_database_refuses(books: Invoice, statement: str, because: str) -> None:
    policies.current()
    refused(statement, because)


def test_a_case_cannot_change_without_somebody_who_signs(books: Invoice) -> None:
    with pytest.raises(DatabaseError, match="needs an actor"), connection.cursor() as cursor:
        cursor.execute(
            "insert into collections_paymentmethod (account_id, gateway, token, brand, last4, expires, is_default,"
            " created_at) select id, 'sandbox', 'tok_ok', 'Visa', '4242', now(), false, now() from accounts_account"
        )


@pytest.mark.parametrize("invariant", OURS, ids=lambda one: one.name)
def test_every_invariant_holds_for_honest_books(books: Invoice, invariant: invariants.Invariant) -> None:
    paying.record(
        account_id=books.account_id,
        currency="USD",
        amount=Decimal(5),
        method="cash",
        reference="till 1",
        received_on=DUE,
        actor=ADA,
    )
    assert invariants.check(invariant).holds


BROKEN = {
    "refunds_are_posted": "insert into collections_refund (state, attempts, fence, last_error, payment_id, key, amount,"
    " reason, outcome, gateway_refund_id, decline_code, requested_by, requested_at, decided_by) select 'done', 0, 0,"
    " '', id, 'k', 1, 'x', 'succeeded', 're_1', '', 'x', now(), '' from collections_payment",
    "chargebacks_are_posted": "insert into collections_chargeback (payment_id, reference, amount, reason, taken_on,"
    " recorded_by, recorded_at) select id, 'd', 1, 'fraud', received_on, '', now() from collections_payment",
    "allocations_sum_to_applied": "update collections_payment set applied = 1",
    "settled_is_allocated": "update billing_invoice set settled = 1, status = 'open' where settled > 0",
    "one_payment_per_charge": "update collections_payment set reference = 'x'",
    "payments_are_posted": "delete from billing_ledgertransaction where kind = 'capture'",
    "cash_comes_from_payments": "delete from collections_payment",
    "unapplied_drains": "update collections_payment set amount = amount + 1",
    "allocations_stay_at_home": "update billing_invoice set currency = 'EUR'",
    "invoices_are_charged_once": "update collections_chargeattempt set amount = 100, captured = 100",
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_invariant_finds_what_somebody_broke_past_every_guard(books: Invoice, name: str) -> None:
    invariant = next(one for one in OURS if one.name == f"collections_/{name}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")  # no trigger and no foreign key is asked
        cursor.execute(BROKEN[name])
        found = invariants.check(invariant)
        transaction.set_rollback(True)
    assert not found.holds
    assert Payment.objects.count() == 1
