"""The doors through which collections changes an issued invoice: settled, payment status, write-off, and back."""

from datetime import date
from decimal import Decimal

from billing import announcing, ledger, lifecycle, locks
from billing.lifecycle import Step
from billing.models import Invoice, InvoiceStatus, LedgerAccount, LedgerTransaction, PaymentStatus
from core import audit
from core.errors import Conflict, Invalid
from core.money import ZERO, round_to_minor_unit


def settle(invoice_id: int, amount: Decimal, *, on: date) -> Invoice:
    """Count ``amount`` (in the invoice's currency) as settled, inside the caller's transaction and signature.

    The caller posts the money itself. Settling an invoice that was written off also takes back that part of the
    write-off. Raises Invalid for more than is outstanding, Conflict when nothing can be settled. Not repeatable.
    """
    invoice = locks.invoice(invoice_id)
    if invoice.status not in (InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE):
        raise Conflict(f"{invoice} is {invoice.status}; only an open invoice can be settled.")
    _check(amount, invoice.outstanding, invoice)
    if invoice.status == InvoiceStatus.UNCOLLECTIBLE:
        _recover(invoice, amount, on)
    invoice.settled += amount
    if invoice.settled + invoice.credited == invoice.total:
        invoice.status = lifecycle.after(invoice.status, Step.SETTLE)
        invoice.payment_status = PaymentStatus.PAID
    invoice.save(update_fields=["settled", "status", "payment_status"])
    invoice.refresh_from_db(fields=["outstanding"])
    if invoice.status == InvoiceStatus.PAID:
        announcing.paid(invoice.pk)
    return invoice


def unsettle(invoice_id: int, amount: Decimal, *, on: date) -> Invoice:
    """Take back ``amount`` that had settled the invoice (a charge-back, a bounced transfer); it may open again.

    The caller posts the money. Of an invoice that was written off, it is lost again. Raises Invalid for more than
    was settled. Not repeatable.
    """
    invoice = locks.invoice(invoice_id)
    if invoice.status not in (InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE):
        raise Conflict(f"{invoice} is {invoice.status}; its payments cannot be taken back.")
    _check(amount, invoice.settled, invoice)
    if invoice.status == InvoiceStatus.UNCOLLECTIBLE:
        _post(invoice, _next_kind(invoice, "write_off"), amount, on)
    invoice.settled -= amount
    if invoice.status == InvoiceStatus.PAID:
        invoice.status = lifecycle.after(invoice.status, Step.REOPEN)
        invoice.payment_status = PaymentStatus.DECLINED
    invoice.save(update_fields=["settled", "status", "payment_status"])
    invoice.refresh_from_db(fields=["outstanding"])
    return invoice


def set_payment_status(invoice_id: int, status: PaymentStatus) -> Invoice:
    """Note what collections knows about the money; inside the caller's transaction and signature. Repeatable."""
    invoice = locks.invoice(invoice_id)
    if invoice.status == InvoiceStatus.DRAFT:
        raise Conflict("A draft has no payment status; issue it first.")
    if invoice.payment_status != status:
        invoice.payment_status = status
        invoice.save(update_fields=["payment_status"])
    return invoice


def write_off(invoice_id: int, *, reason: str, actor: str, on: date) -> Invoice:
    """Give up what is outstanding: the invoice becomes uncollectible and the loss is posted.

    A repeat changes nothing. Raises Conflict unless the invoice is open.
    """
    if not reason.strip():
        raise Invalid("Say why the invoice is written off.", field="reason")
    with audit.acting(actor, reason):
        invoice = locks.invoice(invoice_id)
        if invoice.status == InvoiceStatus.UNCOLLECTIBLE:
            return invoice
        invoice.status = lifecycle.after(invoice.status, Step.WRITE_OFF)
        invoice.save(update_fields=["status"])
        _post(invoice, _next_kind(invoice, "write_off"), invoice.outstanding, on)
    return invoice


def _recover(invoice: Invoice, amount: Decimal, on: date) -> None:
    """Take back the part of a write-off that was paid after all."""
    _post(invoice, _next_kind(invoice, "recover"), -amount, on)


def _post(invoice: Invoice, kind: str, loss: Decimal, on: date) -> None:
    ledger.post(
        source_type="invoice",
        source_id=invoice.pk,
        kind=kind,
        account_id=invoice.account_id,
        on=on,
        currency=invoice.currency,
        legs=[(LedgerAccount.WRITE_OFF, loss), (LedgerAccount.RECEIVABLE, -loss)],
    )


def _next_kind(invoice: Invoice, kind: str) -> str:
    """Name the posting so that each of several is a fact of its own; the invoice's lock keeps the count true."""
    posted = LedgerTransaction.objects.filter(source_type="invoice", source_id=invoice.pk, kind__startswith=kind)
    return f"{kind}.{posted.count() + 1}"


def _check(amount: Decimal, most: Decimal, invoice: Invoice) -> None:
    if amount <= ZERO or amount != round_to_minor_unit(amount, invoice.currency):
        raise Invalid(f"{amount} is not a positive amount in whole coins of {invoice.currency}.", field="amount")
    if amount > most:
        raise Invalid(f"{amount} {invoice.currency} is more than {invoice} allows ({most}).", field="amount")
