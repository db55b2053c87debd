"""The smallest books that collections can work on: accounts, cards and issued invoices, made with the real rules."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from accounts.models import Account
from billing import issuing, numbering
from billing.models import Invoice, InvoiceLine, Seller
from collections_ import methods
from collections_.models import PaymentMethod
from core import audit, clock

ACTOR = "system:test"
DUE = date(2026, 11, 2)
TODAY = clock.today()  # of the pages, which show the present
YESTERDAY = TODAY - timedelta(days=1)


def account(code: str, *, email: str | None = None, currency: str = "USD") -> Account:
    """Make an account that can be written to at ``code@example.com`` unless ``email`` says otherwise."""
    with audit.acting(ACTOR):
        return Account.objects.create(
            code=code,
            name=code.title(),
            currency=currency,
            email=f"{code}@example.com" if email is None else email,
        )


def card(owner: Account, token: str = "tok_ok", *, expires: date = date(2030, 12, 31)) -> PaymentMethod:
    """Give an account a card that the sandbox treats as ``token`` says."""
    return methods.register(owner.pk, token=token, brand="Visa", last4="4242", expires=expires, actor=ACTOR)


def invoice(
    owner: Account, amount: str = "75.85", *, due_on: date = DUE, issued_on: date | None = None, month: int = 10
) -> Invoice:
    """Issue an invoice of one line, with a number and its posting, as billing does."""
    issued_on, total = issued_on or due_on, Decimal(amount)
    with audit.acting(ACTOR):
        seller = Seller.objects.get(is_default=True)
        made = Invoice.objects.create(
            account=owner,
            seller=seller,
            currency=owner.currency,
            kind="one_off",
            period_start=date(2026, month, 1),
            period_end=date(2026, month + 1, 1),
            subtotal=total,
            total=total,
        )
        InvoiceLine.objects.create(
            invoice=made,
            position=1,
            description="Dynos",
            quantity=1,
            unit="month",
            unit_amount=total,
            amount=total,
            unrounded=total,
            rated=total,
            period_start=datetime(2026, month, 1, tzinfo=UTC),
            period_end=datetime(2026, month + 1, 1, tzinfo=UTC),
        )
        number = numbering.number(
            seller, numbering.INVOICE, issued_on, numbering.take(seller, numbering.INVOICE, issued_on) + 1
        )
        Invoice.objects.filter(pk=made.pk).update(number=number, status="open", issued_on=issued_on, due_on=due_on)
        issuing.post_and_order([made.pk], issued_on)
    made.refresh_from_db()
    return made
