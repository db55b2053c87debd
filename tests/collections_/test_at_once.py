"""Many at once: whoever races, an invoice is charged once and a payment is booked once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, connections

from collections_ import charging, collecting, paying
from collections_.gateways import sandbox
from collections_.models import Case, CaseEvent, CaseStep, ChargeAttempt, Payment
from core.errors import Conflict, VaultError
from core.models import Mail
from tests.collections_ import factories
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "user:ada@example.com"
THREADS = 8


def at_once(work: object, times: int = THREADS) -> list[object]:
    """Run ``work`` in threads with connections of their own and return what each returned or raised."""

    def one(_: int) -> object:
        try:
            return work()  # type: ignore[operator]
        except VaultError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_pay_now_pressed_by_many_charges_once() -> None:
    owner = factories.account("acme")
    factories.card(owner)
    invoice = factories.invoice(owner)
    outcomes = at_once(lambda: charging.pay_now(invoice.pk, actor=ADA, as_of=DUE).outcome)
    assert [outcome for outcome in outcomes if not isinstance(outcome, Conflict)] == ["succeeded"]
    assert len(sandbox.from_settings().captures()) == 1
    assert Payment.objects.count() == 1


def test_pay_now_without_its_guards_charges_more_than_once() -> None:
    """The negative control: the same race, with the lock and the unique index taken away."""
    owner = factories.account("acme")
    method = factories.card(owner)
    invoice = factories.invoice(owner)
    with connection.cursor() as cursor:
        cursor.execute("drop index one_unanswered_attempt_per_invoice")
        cursor.execute("drop index one_charge_per_step")
        cursor.execute("alter table collections_chargeattempt drop constraint one_attempt_per_invoice_and_number")

    def careless() -> None:
        key = charging.new_key(str(invoice.number), 1)
        attempt = ChargeAttempt.objects.create(
            invoice=invoice,
            method=method,
            number=1,
            key=key,
            amount=invoice.outstanding,
            currency="USD",
            created_on=DUE,
        )
        sandbox.from_settings().charge(
            key=key, amount=attempt.amount, currency="USD", token=method.token, description=""
        )

    at_once(careless, 4)
    assert len(sandbox.from_settings().captures()) == 4


def test_a_day_collected_by_several_takes_each_step_once() -> None:
    for number in range(6):
        owner = factories.account(f"a{number}")
        factories.card(owner, "tok_ok" if number % 2 else "tok_insufficient_funds")
        factories.invoice(owner)
    at_once(lambda: collecting.run(DUE), 4)
    summaries = at_once(lambda: collecting.run(DUE.replace(day=3)), 4)
    assert len(sandbox.from_settings().captures()) == Payment.objects.count() == 3
    assert ChargeAttempt.objects.count() == 6
    assert Case.objects.count() == CaseStep.objects.count() == Mail.objects.count() == 3
    assert CaseEvent.objects.filter(kind="opened").count() == CaseEvent.objects.filter(kind="step").count() == 3
    assert summaries[-1] == collecting.run(DUE.replace(day=3))


def test_a_bank_payment_typed_by_many_is_booked_once() -> None:
    owner = factories.account("acme")
    factories.invoice(owner)

    def typed() -> Payment:
        return paying.record(
            account_id=owner.pk,
            currency="USD",
            amount=Decimal("75.85"),
            method="bank_transfer",
            reference="B1",
            received_on=DUE,
            actor=ADA,
        )

    booked = [one for one in at_once(typed) if isinstance(one, Payment)]
    assert len(booked) == Payment.objects.count() == 1


def test_different_payments_at_once_settle_no_more_than_is_owed() -> None:
    owner = factories.account("acme")
    invoice = factories.invoice(owner)
    references = iter(f"B{number}" for number in range(THREADS))

    def paid() -> Payment:
        return paying.record(
            account_id=owner.pk,
            currency="USD",
            amount=Decimal(20),
            method="bank_transfer",
            reference=next(references),
            received_on=DUE,
            actor=ADA,
        )

    at_once(paid)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.settled) == ("paid", Decimal("75.85"))
    payments = Payment.objects.values_list("applied", flat=True)
    assert (len(payments), sum(payments)) == (THREADS, Decimal("75.85"))
