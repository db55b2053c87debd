"""How an account stands: what it owes, what is past due, what it has to its credit. Read from the books, set-based."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Account
from billing.models import CreditGrant, CreditState, Invoice
from billing.tables.credits import last_usable
from collections_.models import Case, CaseState, Payment, PaymentMethod

NOTHING = Value(Decimal(0), output_field=DecimalField(max_digits=24, decimal_places=4))


@dataclass(frozen=True, slots=True)
class Standing:
    """One account's money in its own currency, as of a day."""

    currency: str
    outstanding: Decimal
    open_invoices: int
    past_due: Decimal
    oldest_due_on: date | None
    credits: Decimal  # of grants that may still be used
    unapplied: Decimal  # received and not spent on an invoice
    card: PaymentMethod | None
    case: Case | None


def usable_credits(account: Account, *, as_of: date) -> QuerySet[CreditGrant]:
    """Grants that the next invoice may draw on: what counts is the start of its month, not the day it is issued."""
    lasting = Q(expires_on=None) | Q(expires_on__gt=last_usable(as_of))
    return CreditGrant.objects.filter(lasting, account=account, state=CreditState.ACTIVE, balance__gt=0)


def standing(account: Account, *, as_of: date) -> Standing:
    """Return how ``account`` stands on ``as_of``; zeros when nothing happened yet."""
    owed = Invoice.objects.open().filter(account=account)
    late = owed.past_due(as_of=as_of)
    payments = Payment.objects.filter(account=account)
    return Standing(
        currency=account.currency,
        outstanding=_sum(owed, F("outstanding")),
        open_invoices=owed.count(),
        past_due=_sum(late, F("outstanding")),
        oldest_due_on=late.order_by("due_on").values_list("due_on", flat=True).first(),
        credits=_sum(usable_credits(account, as_of=as_of), F("balance")),
        unapplied=_sum(payments, F("amount") - F("applied") - F("refunded")),
        card=PaymentMethod.objects.filter(account=account, is_default=True).first(),
        case=Case.objects.filter(account=account, state=CaseState.OPEN).first(),
    )


def _sum(rows: QuerySet[Any], what: Any) -> Decimal:
    found: Decimal = rows.aggregate(sum=Coalesce(Sum(what), NOTHING))["sum"]
    return found
