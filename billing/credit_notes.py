"""Credit notes: what takes back part of an issued invoice; the invoice itself never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum

from billing import crediting, gathering, giving_back, ledger, lifecycle, locks, numbering, people
from billing.giving_back import Part
from billing.lifecycle import Step
from billing.models import (
    CreditGrant,
    CreditNote,
    CreditNoteLine,
    CreditState,
    Document,
    DocumentKind,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    LedgerAccount,
    LineKind,
    PaymentStatus,
    Settlement,
)
from core import audit, bell, clock
from core.errors import Conflict, Invalid, NotFound
from core.exact import EXACT
from core.money import ZERO, minor_unit, round_to_minor_unit
from core.money import total as exact_total
from core.periods import Month

CAPABILITY = "invoices.credit"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a correction became: a note by line, and a credit for what of it was paid already."""

    note: CreditNote
    grants: Sequence[CreditGrant] = ()


def issue(invoice_id: int, lines: Mapping[int, Decimal], *, reason: str, actor: str, on: date) -> Correction:
    """Take back parts of an issued invoice: ``lines`` maps a line's row to a positive amount before tax.

    It lowers, with its share of the tax, what is outstanding. What is paid already becomes a credit of the same
    amount before tax, which the next invoices take and are taxed less by. Raises Invalid for more than a line or
    the invoice has left, Conflict when the invoice cannot be corrected. Not repeatable.
    """
    people.require(actor, CAPABILITY)
    if not reason.strip():
        raise Invalid("Say why; the reason is printed on the credit note.", field="reason")
    with audit.acting(actor, reason):
        account_id = _account_of(invoice_id)
        locks.drafting(account_id)
        drafts = crediting.drafts_in_review(account_id)
        invoice = locks.invoice(invoice_id)
        if invoice.status not in (InvoiceStatus.OPEN, InvoiceStatus.PAID):
            raise Conflict(f"{invoice} is {invoice.status}; only an open or a paid invoice can be corrected.")
        parts = _parts(invoice, _checked(invoice, lines))
        note = _note(invoice, parts, reason.strip(), actor, on)
        grants = [_grant(note, reason.strip(), actor)] if note.granted else []
        if grants:
            crediting.apply_to(drafts)
    return Correction(note, grants)


def left_of(invoice: Invoice) -> dict[int, Decimal]:
    """Return what of each line of an issued invoice can still be taken back, before tax, by the line's row.

    That is what was charged less what notes took back, and no more than withdrawn usage left of the same thing.
    """
    noted: dict[int, Decimal] = dict(
        CreditNoteLine.objects.filter(note__invoice=invoice).values_list("line").annotate(sum=Sum("amount"))
    )
    charged = _charged_by_thing(invoice)
    left = {}
    for row in invoice.lines.order_by("position"):
        rest = row.amount - noted.get(row.pk, ZERO)
        if row.kind != LineKind.MANUAL and invoice.kind == InvoiceKind.PERIODIC:
            rest = min(rest, charged.get(_thing(row), ZERO))
        left[row.pk] = max(rest, ZERO)
    return left


def _checked(invoice: Invoice, lines: Mapping[int, Decimal]) -> list[tuple[InvoiceLine, Decimal]]:
    """Return the amounts in the order of the lines, each within what its line has left, all within what was charged."""
    if not lines:
        raise Invalid("Choose at least one line to take back.", field="lines")
    rows = {row.pk: row for row in invoice.lines.filter(pk__in=list(lines)).order_by("position")}
    left = left_of(invoice)
    for key, amount in lines.items():
        if key not in rows:
            raise NotFound(f"{invoice} has no line {key}.")
        if amount <= 0 or amount != round_to_minor_unit(amount, invoice.currency):
            raise Invalid(f"{amount} is not a positive amount in whole coins of {invoice.currency}.", field="amount")
        if amount > left[key]:
            raise Invalid(f"{rows[key].description}: at most {left[key]} can be taken back.", field="amount")
    charged = invoice.subtotal - invoice.credits - _noted(invoice) - _credited_without_note(invoice)
    if exact_total(lines.values()) > charged:
        raise Invalid(f"At most {charged} of {invoice} can be taken back before tax.", field="amount")
    return [(row, lines[key]) for key, row in rows.items()]


def _charged_by_thing(invoice: Invoice) -> dict[tuple[object, ...], Decimal]:
    """Sum what is left of all that was charged in the months of the invoice's lines, whatever invoice charged it."""
    months = {Month.containing(start) for start in invoice.lines.values_list("period_start", flat=True)}
    sums: dict[tuple[object, ...], Decimal] = {}
    for month in months:
        for currency, line in gathering.billed([invoice.account_id], month, None).get(invoice.account_id, ()):
            if currency == invoice.currency:
                thing = (month, *line.key[:4])
                sums[thing] = sums.get(thing, ZERO) + line.charged
    return sums


def _thing(row: InvoiceLine) -> tuple[object, ...]:
    return (Month.containing(row.period_start), row.app, row.product, row.component, row.meter)


def _parts(invoice: Invoice, asked: Sequence[tuple[InvoiceLine, Decimal]]) -> list[Part]:
    """Settle what was asked: as much as is outstanding with its tax lowers that, the rest becomes a credit."""
    most = exact_total(amount for _, amount in asked)
    owed = giving_back.owed_part(
        most, invoice.outstanding, lambda part: _tax_share(invoice, part), minor_unit(invoice.currency)
    )
    return giving_back.split([(row.pk, amount) for row, amount in asked], owed)


def _note(invoice: Invoice, parts: Sequence[Part], reason: str, actor: str, on: date) -> CreditNote:
    owed = exact_total(part.amount for part in parts if part.settlement == Settlement.OWED)
    granted = exact_total(part.amount for part in parts if part.settlement != Settlement.OWED)
    tax = _tax_share(invoice, owed) if owed else ZERO
    counter = numbering.take(invoice.seller, numbering.CREDIT_NOTE, on) + 1
    note = CreditNote.objects.create(
        invoice=invoice,
        number=numbering.number(invoice.seller, numbering.CREDIT_NOTE, on, counter),
        currency=invoice.currency,
        reason=reason[:500],
        subtotal=owed + granted,
        tax=tax,
        total=owed + granted + tax,
        granted=granted,
        issued_on=on,
        issued_by=actor,
    )
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(note=note, line_id=part.line, amount=part.amount, settlement=part.settlement) for part in parts
    )
    if note.lowered:
        _lower(invoice, note.lowered)
        _post(note, owed)
    Document.objects.create(kind=DocumentKind.CREDIT_NOTE, invoice=invoice, credit_note=note)
    bell.ring("billing.tasks.render", cluster="documents")
    return note


def _post(note: CreditNote, owed: Decimal) -> None:
    """Post what lowers the receivable; what became a credit is posted by the invoices that take it."""
    ledger.post(
        source_type="credit_note",
        source_id=note.pk,
        kind="issue",
        account_id=note.invoice.account_id,
        on=note.issued_on,
        currency=note.currency,
        legs=[
            (LedgerAccount.REVENUE, owed),
            (LedgerAccount.TAX, note.tax),
            (LedgerAccount.RECEIVABLE, -note.lowered),
        ],
    )


def _lower(invoice: Invoice, amount: Decimal) -> None:
    invoice.credited += amount
    if invoice.settled + invoice.credited == invoice.total:
        invoice.status = lifecycle.after(invoice.status, Step.SETTLE)
        invoice.payment_status = PaymentStatus.PAID if invoice.settled else PaymentStatus.NONE
    invoice.save(update_fields=["credited", "status", "payment_status"])


def _tax_share(invoice: Invoice, subtotal: Decimal) -> Decimal:
    """Return the tax that goes with ``subtotal``: what was charged less what is due on the rest, so that all is all."""
    lowered = _noted(invoice, Q(settlement=Settlement.OWED))
    rest = invoice.subtotal - invoice.credits - lowered - subtotal
    due = round_to_minor_unit(EXACT.multiply(rest, invoice.tax_rate), invoice.currency)
    taxed = CreditNote.objects.filter(invoice=invoice).aggregate(sum=Sum("tax"))["sum"] or ZERO
    return invoice.tax - taxed - due


def _grant(note: CreditNote, reason: str, actor: str) -> CreditGrant:
    return CreditGrant.objects.create(
        account_id=note.invoice.account_id,
        currency=note.currency,
        amount=note.granted,
        balance=note.granted,
        reason=f"Correction of {note.invoice}: {reason}"[:500],
        state=CreditState.ACTIVE,
        corrects=note.invoice,
        note=note,
        requested_by=actor,
        requested_at=clock.database_now(),
    )


def _credited_without_note(invoice: Invoice) -> Decimal:
    """Return what was given back as credits before notes told of them by line."""
    given = CreditGrant.objects.filter(corrects=invoice, note=None).aggregate(sum=Sum("amount"))["sum"]
    return given or ZERO


def _noted(invoice: Invoice, *which: Q) -> Decimal:
    """Return what notes took back of the invoice, before tax."""
    lines = CreditNoteLine.objects.filter(*which, note__invoice=invoice)
    return lines.aggregate(sum=Sum("amount"))["sum"] or ZERO


def _account_of(invoice_id: int) -> int:
    account_id = Invoice.objects.filter(pk=invoice_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound(f"There is no invoice {invoice_id}.")
    return account_id
