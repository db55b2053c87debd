"""Recording money that came in, and spreading it over what is owed: oldest debt first."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.db import IntegrityError

from billing import settling
from billing.models import Invoice, InvoiceStatus
from collections_ import allocation, casework, locks, posting
from collections_.allocation import Debt, Settlement
from collections_.cards import refuse_card_number
from collections_.models import Allocation, ChargeAttempt, Payment
from core import audit, clock, money
from core.errors import Conflict, Invalid, NotFound

CARD = "card"
METHODS = {"bank_transfer": "Bank transfer", "cheque": "Cheque", "cash": "Cash", "other": "Other"}
MOST = Decimal(10) ** 15
OWED = locks.OWED
ZONES = timedelta(days=1)  # it is tomorrow already somewhere


class DuplicatePayment(Conflict):
    """A payment with this reference is in the books already."""

    code = "duplicate_payment"


def preview(account_id: int, currency: str, amount: Decimal, *, first: int | None = None) -> Settlement:
    """Say how ``amount`` would be spread if it were recorded now; writes nothing."""
    owed = Invoice.objects.filter(status__in=OWED, account_id=account_id, currency=currency, outstanding__gt=0)
    return allocation.allocate(_checked(amount, currency), _debts(list(owed)), first=first)


def record(
    *,
    account_id: int,
    currency: str,
    amount: Decimal,
    method: str,
    reference: str,
    received_on: date,
    actor: str,
    first: int | None = None,
) -> Payment:
    """Record money that reached the bank, and settle the oldest debts with it, ``first`` before all others.

    Invoices that were written off come last, and are recovered. What no debt takes stays unapplied on the payment.
    The same method and reference again raises DuplicatePayment and changes nothing.
    """
    if method not in METHODS:
        raise Invalid(f"{method!r:.40} is not a way to pay; use one of {', '.join(METHODS)}", field="method")
    reference = refuse_card_number(reference, "reference")
    if not reference:
        raise Invalid("Give the bank's reference, so that nobody records this payment twice", field="reference")
    with audit.acting(actor):
        locks.account(account_id)
        now = clock.database_now()
        if received_on > now.date() + ZONES:
            raise Invalid(
                f"{received_on} is still to come; say the day on which the money arrived", field="received_on"
            )
        payment = Payment(
            account_id=account_id,
            currency=currency,
            amount=_checked(amount, currency),
            method=method,
            reference=reference,
            received_on=received_on,
            recorded_by=actor,
            recorded_at=now,
        )
        return _book(payment, locks.owed_invoices(account_id, currency), first)


def captured(attempt: ChargeAttempt, invoice: Invoice) -> Payment:
    """Record what the gateway captured for ``attempt``, inside its closing transaction.

    It settles the attempt's own locked ``invoice`` only; what that does not need any more, or is in another
    currency, stays unapplied. Less than was asked for leaves the rest owed.
    """
    assert attempt.captured is not None  # noqa: S101  it succeeded
    payment = Payment(
        account_id=invoice.account_id,
        attempt=attempt,
        currency=attempt.captured_currency,
        amount=attempt.captured,
        method=CARD,
        reference=attempt.gateway_charge_id,
        received_on=attempt.created_on,
        recorded_by="system:charging",
        recorded_at=attempt.answered_at or clock.database_now(),
    )
    owed = invoice.status in OWED and invoice.currency == payment.currency
    _book(payment, [invoice] if owed else [], invoice.pk)
    if (payment.amount, payment.currency) != (attempt.amount, attempt.currency):
        casework.on_other_amount(attempt, invoice)
    return payment


def apply_rest(payment_id: int, *, on: date, actor: str) -> Payment:
    """Settle debts, dated ``on``, with what a payment has left. Nothing left, or nothing owed, raises Conflict."""
    with audit.acting(actor):
        found = Payment.objects.filter(pk=payment_id).first()
        if found is None:
            raise NotFound("There is no such payment")
        locks.account(found.account_id)
        invoices = locks.owed_invoices(found.account_id, found.currency)
        payment = locks.payment(payment_id)
        rest = payment.amount - payment.applied - payment.refunded
        settled_before = set(payment.allocations.values_list("invoice_id", flat=True))
        debts = [debt for debt in _debts(invoices) if debt.invoice not in settled_before]
        settlement = allocation.allocate(rest, debts)
        if not settlement.shares:
            raise Conflict("Nothing is left of this payment" if not rest else "This account owes nothing at the moment")
        payment.applied += rest - settlement.unapplied
        payment.save(update_fields=["applied"])
        _settle(payment, settlement.shares, invoices, on)
    return payment


def _book(payment: Payment, invoices: Sequence[Invoice], first: int | None) -> Payment:
    settlement = allocation.allocate(payment.amount, _debts(invoices), first=first)
    payment.applied = payment.amount - settlement.unapplied
    try:
        payment.save(force_insert=True)
    except IntegrityError as error:
        if "one_payment_per_reference" not in str(error):
            raise
        raise DuplicatePayment(f"A payment with the reference {payment.reference} is recorded already") from error
    posting.captured(payment)
    _settle(payment, settlement.shares, invoices, payment.received_on)
    return payment


def _settle(payment: Payment, shares: Sequence[tuple[int, Decimal]], invoices: Sequence[Invoice], on: date) -> None:
    numbers = {invoice.pk: str(invoice.number) for invoice in invoices}
    allocations = Allocation.objects.bulk_create(
        [Allocation(payment=payment, invoice_id=invoice, amount=share) for invoice, share in shares]
    )
    posting.allocated(payment, allocations, on=on)
    for invoice, share in shares:
        settling.settle(invoice, share, on=on)
    casework.on_payment(payment, [(numbers[invoice], share) for invoice, share in shares])


def _debts(invoices: Sequence[Invoice]) -> list[Debt]:
    return [
        Debt(i.pk, str(i.number), i.due_on, i.outstanding, written_off=i.status == InvoiceStatus.UNCOLLECTIBLE)
        for i in invoices
        if i.due_on is not None
    ]


def _checked(amount: Decimal, currency: str) -> Decimal:
    """Return ``amount``, or raise Invalid unless it is a positive number of whole coins."""
    if not amount.is_finite() or not 0 < amount < MOST:
        raise Invalid("The amount must be more than zero and less than 1,000,000,000,000,000", field="amount")
    if amount != money.round_to_minor_unit(amount, currency):
        raise Invalid(f"{money.plain(amount)} is finer than the smallest coin of {currency}", field="amount")
    return amount
