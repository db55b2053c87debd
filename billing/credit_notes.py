"""Credit notes: what takes back part of an issued invoice; the invoice itself never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from billing import crediting, ledger, lifecycle, locks, numbering, people
from billing.lifecycle import Step
from billing.models import (
    CreditGrant,
    CreditNote,
    CreditNoteLine,
    CreditState,
    Document,
    DocumentKind,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LedgerAccount,
    PaymentStatus,
)
from core import audit, bell, clock
from core.errors import Conflict, Invalid, NotFound
from core.exact import EXACT
from core.money import ZERO, round_to_minor_unit
from core.money import total as exact_total

CAPABILITY = "invoices.credit"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a correction became: a note that lowers what is owed, or a credit because the invoice is paid."""

    note: CreditNote | None = None
    grant: CreditGrant | None = None


def issue(invoice_id: int, lines: Mapping[int, Decimal], *, reason: str, actor: str, on: date) -> Correction:
    """Take back parts of an issued invoice: ``lines`` maps a line's row to a positive amount before tax.

    While the invoice is open this is a credit note with its share of the tax. Once it is paid it is a credit of
    the same amount before tax, which the next invoices take and are taxed less by. Raises Invalid for more than
    a line or the invoice has left, Conflict when the invoice cannot be corrected. Not repeatable.
    """
    people.require(actor, CAPABILITY)
    if not reason.strip():
        raise Invalid("Say why; the reason is printed on the credit note.", field="reason")
    with audit.acting(actor, reason):
        invoice = locks.invoice(invoice_id)
        amounts = _checked(invoice, lines)
        subtotal = exact_total(amounts.values())
        if invoice.status == InvoiceStatus.PAID:
            return Correction(grant=_as_credit(invoice, subtotal, reason.strip(), actor))
        if invoice.status != InvoiceStatus.OPEN:
            raise Conflict(f"{invoice} is {invoice.status}; only an open or a paid invoice can be corrected.")
        return Correction(note=_as_note(invoice, amounts, subtotal, reason.strip(), actor, on))


def _checked(invoice: Invoice, lines: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """Return the amounts per line, each within what its line has left and all within what was charged."""
    if not lines:
        raise Invalid("Choose at least one line to take back.", field="lines")
    rows = {row.pk: row for row in InvoiceLine.objects.filter(invoice=invoice, pk__in=list(lines))}
    for key, amount in lines.items():
        if key not in rows:
            raise NotFound(f"{invoice} has no line {key}.")
        if amount <= 0 or amount != round_to_minor_unit(amount, invoice.currency):
            raise Invalid(f"{amount} is not a positive amount in whole coins of {invoice.currency}.", field="amount")
        left = rows[key].amount - _taken_back(key)
        if amount > left:
            raise Invalid(f"{rows[key].description}: at most {left} can be taken back.", field="amount")
    charged = invoice.subtotal - invoice.credits - _noted(invoice, "subtotal") - _as_credits_before(invoice)
    if exact_total(lines.values()) > charged:
        raise Invalid(f"At most {charged} of {invoice} can be taken back before tax.", field="amount")
    return dict(lines)


def _as_note(
    invoice: Invoice, amounts: Mapping[int, Decimal], subtotal: Decimal, reason: str, actor: str, on: date
) -> CreditNote:
    tax = _tax_share(invoice, subtotal)
    if subtotal + tax > invoice.outstanding:
        raise Invalid(
            f"{subtotal + tax} with tax is more than is outstanding ({invoice.outstanding}): take back less here, and"
            " give the rest as a credit.",
            field="amount",
        )
    counter = numbering.take(invoice.seller, numbering.CREDIT_NOTE, on) + 1
    note = CreditNote.objects.create(
        invoice=invoice,
        number=numbering.number(invoice.seller, numbering.CREDIT_NOTE, on, counter),
        currency=invoice.currency,
        reason=reason[:500],
        subtotal=subtotal,
        tax=tax,
        total=subtotal + tax,
        issued_on=on,
        issued_by=actor,
    )
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(note=note, line_id=line, amount=amount) for line, amount in amounts.items()
    )
    _lower(invoice, note.total)
    ledger.post(
        source_type="credit_note",
        source_id=note.pk,
        kind="issue",
        account_id=invoice.account_id,
        on=on,
        currency=invoice.currency,
        legs=[
            (LedgerAccount.REVENUE, subtotal),
            (LedgerAccount.TAX, tax),
            (LedgerAccount.RECEIVABLE, -note.total),
        ],
    )
    Document.objects.create(kind=DocumentKind.CREDIT_NOTE, invoice=invoice, credit_note=note)
    bell.ring("billing.tasks.render", cluster="documents")
    return note


def _lower(invoice: Invoice, amount: Decimal) -> None:
    invoice.credited += amount
    if invoice.settled + invoice.credited == invoice.total:
        invoice.status = lifecycle.after(invoice.status, Step.SETTLE)
        invoice.payment_status = PaymentStatus.PAID if invoice.settled else PaymentStatus.NONE
    invoice.save(update_fields=["credited", "status", "payment_status"])


def _tax_share(invoice: Invoice, subtotal: Decimal) -> Decimal:
    """Return the tax that goes with ``subtotal``: what was charged less what is due on the rest, so that all is all."""
    rest = invoice.subtotal - invoice.credits - _noted(invoice, "subtotal") - subtotal
    due = round_to_minor_unit(EXACT.multiply(rest, invoice.tax_rate), invoice.currency)
    return invoice.tax - _noted(invoice, "tax") - due


def _as_credit(invoice: Invoice, subtotal: Decimal, reason: str, actor: str) -> CreditGrant:
    grant = CreditGrant.objects.create(
        account_id=invoice.account_id,
        currency=invoice.currency,
        amount=subtotal,
        balance=subtotal,
        reason=f"Correction of {invoice}: {reason}"[:500],
        state=CreditState.ACTIVE,
        corrects=invoice,
        requested_by=actor,
        requested_at=clock.database_now(),
    )
    crediting.apply_to(crediting.drafts_in_review(invoice.account_id))
    return grant


def _as_credits_before(invoice: Invoice) -> Decimal:
    """Return what was already given back as credits for this invoice."""
    given = CreditGrant.objects.filter(corrects=invoice).aggregate(sum=Sum("amount"))["sum"]
    return given or ZERO


def _noted(invoice: Invoice, column: str) -> Decimal:
    return CreditNote.objects.filter(invoice=invoice).aggregate(sum=Sum(column))["sum"] or ZERO


def _taken_back(line_id: int) -> Decimal:
    return CreditNoteLine.objects.filter(line_id=line_id).aggregate(sum=Sum("amount"))["sum"] or ZERO
