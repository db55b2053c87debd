"""What payments mean in the books: captured money waits as unapplied cash until it settles a debt."""

from collections.abc import Iterable
from datetime import date

from billing import ledger
from billing.models import LedgerAccount
from collections_.models import Allocation, Payment


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
