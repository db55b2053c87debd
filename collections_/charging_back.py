"""Money that a bank takes back after it was a payment: the books return it, and its invoices are owed again."""

from datetime import date
from decimal import Decimal

from django.db.models import Sum

from billing import settling
from collections_ import casework, locks, posting
from collections_.cards import refuse_card_number
from collections_.models import Allocation, AllocationReversal, Chargeback, Payment
from core import audit, clock, formatting, money
from core.errors import Conflict, Invalid, NotFound
from core.money import ZERO


def record(payment_id: int, *, reference: str, amount: Decimal, reason: str, taken_on: date, actor: str) -> Chargeback:
    """Record that a bank took back ``amount`` of a payment, known to it as ``reference``.

    What the payment has left unapplied is returned first; the rest is taken off the invoices it settled, newest
    allocation first, which are owed again, and whose collecting goes on. The same reference of the same payment and
    amount again changes nothing; of another one it is a Conflict. Raises Invalid for more than is left of the payment.
    """
    reference, reason = refuse_card_number(reference, "reference"), refuse_card_number(reason, "reason")
    if not reference:
        raise Invalid("Give the bank's reference, so that nobody records this twice", field="reference")
    if not reason:
        raise Invalid("Say what the bank gives as the reason", field="reason")
    with audit.acting(actor, reason):
        payment, allocations = _locked(payment_id)
        if known := Chargeback.objects.filter(reference=reference).first():
            if (known.payment_id, known.amount) != (payment.pk, amount):
                raise Conflict(f"Chargeback {reference} is recorded already, for another payment or amount")
            return known
        _check(payment, amount, taken_on)
        made = Chargeback.objects.create(
            payment=payment,
            reference=reference,
            amount=amount,
            reason=reason[:500],
            taken_on=taken_on,
            recorded_by=actor,
            recorded_at=clock.database_now(),
        )
        _return(made, payment, allocations)
    return made


def _locked(payment_id: int) -> tuple[Payment, list[tuple[Allocation, Decimal]]]:
    """Lock the account, the invoices that a payment settled and the payment; return what is left of each allocation."""
    found = Payment.objects.filter(pk=payment_id).first()
    if found is None:
        raise NotFound("There is no such payment")
    locks.account(found.account_id)
    for invoice_id in sorted(found.allocations.values_list("invoice_id", flat=True)):
        locks.invoice(invoice_id)
    payment = locks.payment(payment_id)
    rows = payment.allocations.annotate(undone=Sum("reversals__amount")).select_related("invoice").order_by("-pk")
    return payment, [(row, row.amount - (row.undone or ZERO)) for row in rows]


def _check(payment: Payment, amount: Decimal, taken_on: date) -> None:
    left = payment.amount - payment.refunded
    if not amount.is_finite() or amount <= 0 or amount != money.round_to_minor_unit(amount, payment.currency):
        raise Invalid(f"A chargeback is a positive amount in whole coins of {payment.currency}", field="amount")
    if amount > left:
        said = formatting.amount_with_currency(left, payment.currency)
        raise Invalid(f"At most {said} of this payment can have been taken back", field="amount")
    if not payment.received_on <= taken_on <= max(clock.database_now().date(), payment.received_on):
        raise Invalid("The day lies between the payment's own and today", field="taken_on")


def _return(made: Chargeback, payment: Payment, allocations: list[tuple[Allocation, Decimal]]) -> None:
    """Undo allocations as far as unapplied money does not cover it, post it, and tell the case."""
    owed_again = max(made.amount - (payment.amount - payment.applied - payment.refunded), ZERO)
    undone, rest = [], owed_again
    for allocation, left in allocations:
        if share := min(left, rest):
            undone.append(AllocationReversal(chargeback=made, allocation=allocation, amount=share))
            rest -= share
    AllocationReversal.objects.bulk_create(undone)
    payment.applied -= owed_again
    payment.refunded += made.amount
    payment.save(update_fields=["applied", "refunded"])
    posting.charged_back(made, owed_again)
    for reversal in undone:
        settling.unsettle(reversal.allocation.invoice_id, reversal.amount, on=made.taken_on)
    casework.on_chargeback(made, [(str(one.allocation.invoice.number), one.amount) for one in undone])
