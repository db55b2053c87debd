"""A statement of account, straight from the ledger: what was owed before, every fact that changed it, what is owed now.

A customer owes their receivable less what they paid and we have not yet applied, so the allocation of a payment to
an invoice changes nothing here and does not appear.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Account
from billing.models import CreditNote, Invoice, LedgerAccount, LedgerEntry, LedgerTransaction
from collections_.models import Payment
from core import formatting
from core.exact import ZERO

OWED: Final = (LedgerAccount.RECEIVABLE, LedgerAccount.UNAPPLIED)
METHODS: Final[Mapping[str, str]] = {"bank_transfer": "bank transfer", "other": "another way"}
_INVOICE: Final[Mapping[str, str]] = {
    "issue": "Invoice for {month}",
    "void": "Invoice for {month} taken back",
    "write_off": "Invoice for {month} written off",
    "recover": "Written-off invoice for {month} paid after all",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact: a positive amount raises what is owed. ``balance`` is what was owed after it."""

    on: date
    what: str
    reference: str
    invoice: str  # the number of the invoice it is about, or nothing
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """What an account owed before ``since``, what changed it through ``until``, and what it owed then."""

    since: date
    until: date
    currency: str
    opening: Decimal
    entries: tuple[Entry, ...]
    closing: Decimal


def statement(account: Account, *, since: date, until: date) -> Statement:
    """Return the statement for the days from ``since`` through ``until``; a negative balance is money of theirs."""
    opening = _balance_before(account, since)
    rows = list(_facts(account, since, until))
    named, entries, balance = _names(rows), [], opening
    for row in rows:
        amount: Decimal = row.change  # type: ignore[attr-defined]  # annotated
        balance += amount
        what, reference, invoice = named.get((row.source_type, row.source_id), (row.source_type, "", ""))
        entries.append(Entry(row.effective_on, _said(row, what), reference, invoice, amount, balance))
    return Statement(since, until, account.currency, opening, tuple(entries), balance)


def _balance_before(account: Account, since: date) -> Decimal:
    before = LedgerEntry.objects.filter(
        transaction__account=account, transaction__effective_on__lt=since, ledger_account__in=OWED
    )
    nothing = Value(ZERO, output_field=DecimalField(max_digits=24, decimal_places=4))
    balance: Decimal = before.aggregate(sum=Coalesce(Sum("amount"), nothing))["sum"]
    return balance


def _facts(account: Account, since: date, until: date) -> QuerySet[LedgerTransaction]:
    facts = LedgerTransaction.objects.filter(account=account, effective_on__range=(since, until))
    change = Sum("entries__amount", filter=Q(entries__ledger_account__in=OWED))
    return facts.annotate(change=change).exclude(Q(change=0) | Q(change=None)).order_by("effective_on", "pk")


def _said(row: LedgerTransaction, what: str) -> str:
    if row.source_type != "invoice":
        return what
    form = next((form for kind, form in _INVOICE.items() if row.kind.startswith(kind)), "Invoice for {month}")
    return form.format(month=what)


def _names(rows: Sequence[LedgerTransaction]) -> dict[tuple[str, int], tuple[str, str, str]]:
    """What each fact is about, its reference and its invoice's number, read once per kind of thing."""
    invoices = Invoice.objects.filter(pk__in=_ids(rows, "invoice")).values_list("pk", "number", "period_start")
    notes = CreditNote.objects.filter(pk__in=_ids(rows, "credit_note")).annotate(of=F("invoice__number"))
    payments = Payment.objects.filter(pk__in=_ids(rows, "payment"))
    return (
        {("invoice", pk): (formatting.month(start), number or "", number or "") for pk, number, start in invoices}
        | {("credit_note", n.pk): (f"Credit note for invoice {n.of}", n.number, n.of or "") for n in notes}
        | {("payment", p.pk): (_paid_by(p.method), "" if p.method == "card" else p.reference, "") for p in payments}
    )


def _paid_by(method: str) -> str:
    return f"Payment by {METHODS.get(method, method)}"


def _ids(rows: Iterable[LedgerTransaction], source_type: str) -> list[int]:
    return [row.source_id for row in rows if row.source_type == source_type]
