"""What payments mean in the books: captured money waits as unapplied cash until it settles a debt."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from billing import ledger
from billing.models import LedgerAccount
from collections_.models import Allocation, Chargeback, Payment, Refund


def captured(payment: Payment) -> None:
    """Post money received, in the running transaction: cash against unapplied. A payment posts once."""
    ledger.post(
        source_type="payment",
        source_id=payment.pk,
        kind="capture",
        account_id=payment.account_id,
        on=payment.received_on,
        currency=payment.currency,
        legs=[(LedgerAccount.CASH, payment.amount), (LedgerAccount.UNAPPLIED, -payment.amount)],
    )


def allocated(payment: Payment, allocations: Iterable[Allocation], *, on: date) -> None:
    """Post what a payment settled, dated ``on``: unapplied against receivable. An allocation posts once."""
    for allocation in allocations:
        ledger.post(
            source_type="allocation",
            source_id=allocation.pk,
            kind="allocate",
            account_id=payment.account_id,
            on=on,
            currency=payment.currency,
            legs=[(LedgerAccount.UNAPPLIED, allocation.amount), (LedgerAccount.RECEIVABLE, -allocation.amount)],
        )


def charged_back(made: Chargeback, owed_again: Decimal) -> None:
    """Post money that a bank took back: cash out, ``owed_again`` of it receivable again, the rest from unapplied."""
    ledger.post(
        source_type="chargeback",
        source_id=made.pk,
        kind="take_back",
        account_id=made.payment.account_id,
        on=made.taken_on,
        currency=made.payment.currency,
        legs=[
            (LedgerAccount.RECEIVABLE, owed_again),
            (LedgerAccount.UNAPPLIED, made.amount - owed_again),
            (LedgerAccount.CASH, -made.amount),
        ],
    )


def refunded(refund: Refund, *, on: date) -> None:
    """Post money that went back through the gateway, dated ``on``: unapplied against cash. A refund posts once."""
    ledger.post(
        source_type="refund",
        source_id=refund.pk,
        kind="refund",
        account_id=refund.payment.account_id,
        on=on,
        currency=refund.payment.currency,
        legs=[(LedgerAccount.UNAPPLIED, refund.amount), (LedgerAccount.CASH, -refund.amount)],
    )
