"""Void an issued invoice that should not exist: its posting is reversed, its credits come back, its number stays."""

from datetime import date

from django.db import connection

from billing import ledger, lifecycle, locks, people
from billing.lifecycle import Step
from billing.models import CreditApplication, Invoice, InvoiceStatus, LedgerAccount
from core import audit
from core.errors import Conflict, Invalid

CAPABILITY = "invoices.credit"


def void(invoice_id: int, *, reason: str, actor: str, on: date) -> Invoice:
    """Take back a whole invoice on which nothing was paid or credited; a repeat changes nothing.

    Its usage is billed again as adjustments, unless it is issued anew. Raises Conflict when money moved on it.
    """
    people.require(actor, CAPABILITY)
    if not reason.strip():
        raise Invalid("Say why the invoice is void; the customer will ask.", field="reason")
    with audit.acting(actor, reason):
        invoice = locks.invoice(invoice_id)
        if invoice.status == InvoiceStatus.VOID:
            return invoice
        if invoice.settled or invoice.credited:
            raise Conflict(f"{invoice} was paid or credited in part; correct the rest by a credit note.")
        written_off = invoice.status == InvoiceStatus.UNCOLLECTIBLE
        invoice.status = lifecycle.after(invoice.status, Step.VOID)
        _give_credits_back(invoice)
        invoice.save(update_fields=["status"])
        _reverse(invoice, on, LedgerAccount.WRITE_OFF if written_off else LedgerAccount.RECEIVABLE)
    return invoice


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
