"""A customer pays with the card on file, and hears in words how it went; commits, as every charge does."""

from datetime import date

import pytest

from billing.models import InvoiceStatus
from collections_ import methods
from collections_.models import ChargeAttempt, Payment
from tests.vault.conftest import ACTOR, Customer, browser

pytestmark = pytest.mark.django_db(transaction=True)


def pay(customer: Customer) -> str:
    answer = browser(customer.owner).post(
        f"/portal/invoices/{customer.invoice.number}/pay/",
        follow=True,
        headers={"Referer": "http://testserver/portal/"},
    )
    customer.invoice.refresh_from_db()
    return answer.content.decode()


def use_card(customer: Customer, token: str) -> None:
    methods.register(
        customer.account.pk, token=token, brand="visa", last4="0002", expires=date(2030, 1, 31), actor=ACTOR
    )


def test_the_invoice_is_paid_once_and_a_decline_is_said(customers: tuple[Customer, Customer]) -> None:
    mine, other = customers
    assert "is paid" in pay(mine) and mine.invoice.status == InvoiceStatus.PAID
    assert "Nothing is outstanding" in pay(mine)
    assert Payment.objects.get().account == mine.account
    assert ChargeAttempt.objects.get().requested_by == mine.owner.actor
    use_card(other, "tok_insufficient_funds")
    assert "declined" in pay(other) and other.invoice.status == InvoiceStatus.OPEN
