"""Void an issued invoice that should not exist: its posting is reversed, its credits come back, its number stays."""

from datetime import date
from decimal import Decimal
from typing import Final

from django.db import connection

from billing import gathering, late, ledger, lifecycle, locks, people
from billing.draft import CONTRACT_METER
from billing.lifecycle import Step
from billing.models import CreditApplication, CreditNote, Invoice, InvoiceStatus, LedgerAccount
from core import audit
from core.errors import Conflict, Invalid, Refused
from core.exact import ZERO
from core.periods import Month

CAPABILITY = "invoices.credit"
# Where the law of value added tax knows no void invoice: what was issued is corrected by a credit note.
NOTE_COUNTRIES: Final = frozenset(
    "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
)


def void(invoice_id: int, *, reason: str, actor: str, on: date) -> Invoice:
    """Take back a whole invoice on which nothing was paid or credited; a repeat changes nothing.

    The next run bills its usage again, as adjustments; its number stays used. Raises Conflict when money moved on it or
    another invoice gives part of it back, Refused where the law wants a credit note instead. Collections call it
    through ``collections_.voiding``.
    """
    people.require(actor, CAPABILITY)
    if not reason.strip():
        raise Invalid("Say why the invoice is void; the customer will ask.", field="reason")
    with audit.acting(actor, reason):
        wait_for_drafts(invoice_id)
        invoice = locks.invoice(invoice_id)
        if invoice.status == InvoiceStatus.VOID:
            return invoice
        if invoice.settled or CreditNote.objects.filter(invoice=invoice).exists() or invoice.corrected_by.exists():
            raise Conflict(f"{invoice} was paid or credited in part; correct the rest by a credit note.")
        _refuse_where_a_note_is_due(invoice)
        written_off = invoice.status == InvoiceStatus.UNCOLLECTIBLE
        invoice.status = lifecycle.after(invoice.status, Step.VOID)
        _give_credits_back(invoice)
        invoice.save(update_fields=["status"])
        _refuse_given_back(invoice)
        _reverse(invoice, on, LedgerAccount.WRITE_OFF if written_off else LedgerAccount.RECEIVABLE)
    return invoice


def wait_for_drafts(invoice_id: int) -> None:
    """Let no draft of the invoice's account be written until the end: it may give back part of the invoice.

    Whoever locks the invoice before it calls ``void`` calls this first.
    """
    account_id = Invoice.objects.filter(pk=invoice_id).values_list("account_id", flat=True).first()
    if account_id is not None:
        locks.drafting(account_id)


def _refuse_given_back(invoice: Invoice) -> None:
    """Refuse when other invoices gave back part of what this one charged: they would give what was never taken."""
    months = {Month.containing(start) for start in invoice.lines.values_list("period_start", flat=True)}
    own = set(invoice.lines.values_list("app", "product", "component", "meter"))
    for month in sorted(months):
        left: dict[late.Thing, Decimal] = {}
        for currency, line in gathering.billed([invoice.account_id], month, None).get(invoice.account_id, ()):
            if currency == invoice.currency and not line.meter.startswith(CONTRACT_METER):
                left[line.key[:4]] = left.get(line.key[:4], ZERO) + line.charged
        if any(left.get(thing, ZERO) < 0 for thing in own):
            raise Conflict(
                f"Another invoice gives back part of what {invoice} charged for {month}; void that one first, or"
                " correct the rest by a credit note."
            )


def _refuse_where_a_note_is_due(invoice: Invoice) -> None:
    sold_in, bought_in = (str(party.get("country", "")) for party in (invoice.sold_by, invoice.bill_to))
    if sold_in in NOTE_COUNTRIES or (invoice.tax and bought_in in NOTE_COUNTRIES):
        raise Refused(
            f"{invoice} falls under a law of value added tax that knows no void invoice; take back its lines instead,"
            " which issues a credit note."
        )


def _give_credits_back(invoice: Invoice) -> None:
    locks.grants([invoice.account_id])
    if not CreditApplication.objects.filter(invoice=invoice).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "update billing_creditgrant g set balance = g.balance + a.amount from billing_creditapplication a"
            " where a.grant_id = g.id and a.invoice_id = %s",
            [invoice.pk],
        )


def _reverse(invoice: Invoice, on: date, owed: LedgerAccount) -> None:
    ledger.post(
        source_type="invoice",
        source_id=invoice.pk,
        kind="void",
        account_id=invoice.account_id,
        on=on,
        currency=invoice.currency,
        legs=[
            (owed, -invoice.total),
            (LedgerAccount.CREDITS, -invoice.credits),
            (LedgerAccount.REVENUE, invoice.subtotal),
            (LedgerAccount.TAX, invoice.tax),
        ],
    )
