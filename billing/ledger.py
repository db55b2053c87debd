"""Posting to the books: entries first, the header last, because the header is what posts them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import connection

from billing.models import LedgerEntry, LedgerTransaction
from core.errors import Conflict

Leg = tuple[str, Decimal]  # a ledger account and an amount: positive is a debit, negative a credit


def post(
    *, source_type: str, source_id: int, kind: str, account_id: int, on: date, currency: str, legs: Sequence[Leg]
) -> int | None:
    """Post one business fact in the caller's transaction and return its row; legs of zero are left out.

    A fact posts once: a second call raises Conflict. The database refuses legs that do not balance. Nothing is
    posted, and None returned, when every leg is zero.
    """
    legs = [(ledger_account, amount) for ledger_account, amount in legs if amount]
    if not legs:
        return None
    if LedgerTransaction.objects.filter(source_type=source_type, source_id=source_id, kind=kind).exists():
        raise Conflict(f"{source_type} {source_id} {kind} was posted before.")
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('billing_ledgertransaction', 'id')), clock_timestamp()")
        key, moment = cursor.fetchone()
    LedgerEntry.objects.bulk_create(
        LedgerEntry(transaction_id=key, ledger_account=ledger_account, currency=currency, amount=amount)
        for ledger_account, amount in legs
    )
    LedgerTransaction.objects.bulk_create(
        [
            LedgerTransaction(
                pk=key,
                source_type=source_type,
                source_id=source_id,
                kind=kind,
                effective_on=on,
                account_id=account_id,
                posted_at=moment,
            )
        ]
    )
    return int(key)
