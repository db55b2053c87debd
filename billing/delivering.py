"""Tell a customer that a document is there: one mail per document and kind, with the PDF or a link to it."""

from decimal import Decimal
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string

from accounts.models.account import Delivery
from billing.documents.loading import GROUPS
from billing.models import Document, Invoice, InvoiceLine
from billing.models.document import DocumentKind
from core import formatting, mailing
from core.money import total as sum_of

LARGEST_ATTACHMENT: Final = 5 * 1024 * 1024  # bytes; a larger document is a link
KINDS: Final = {DocumentKind.INVOICE: "invoice", DocumentKind.CREDIT_NOTE: "credit_note"}


def announce(document: Document) -> None:
    """Queue the mail about a stored document in the running transaction; a repeat queues nothing.

    Who has no e-mail address, or wants none, gets none.
    """
    invoice = Invoice.objects.select_related("account").get(pk=document.invoice_id)
    account = invoice.account
    if not account.email or account.delivery == Delivery.NONE:
        return
    number, subject, text = _letter(document, invoice)
    attached = account.delivery == Delivery.PDF and document.size <= LARGEST_ATTACHMENT
    mailing.queue(
        kind=KINDS[DocumentKind(document.kind)],
        reference=number,
        recipient=account.email,
        subject=subject,
        text=text,
        account_code=account.code,
        attachment_path=document.path if attached else "",
        attachment_name=f"{number}.pdf" if attached else "",
    )


def portal_link(invoice: Invoice) -> str:
    """Return the address at which the customer finds this invoice."""
    return f"{settings.BASE_URL}/portal/invoices/{invoice.number}/"


def _letter(document: Document, invoice: Invoice) -> tuple[str, str, str]:
    """Return what the mail is about (a document's number), its subject and its text."""
    seller = str(invoice.sold_by.get("name", ""))
    context = {"invoice": invoice, "seller": seller, "account": invoice.account, "link": portal_link(invoice)}
    if document.credit_note is not None:
        note = document.credit_note
        total = formatting.amount_with_currency(note.total, note.currency)
        text = render_to_string("documents/mail_credit_note.txt", context | {"note": note, "total": total})
        return note.number, f"Credit note {note.number} from {seller}: {total}", text
    month = formatting.month(invoice.month)
    total = formatting.amount_with_currency(invoice.total, invoice.currency)
    figures = {"month": month, "total": total, "parts": _parts(invoice), "due": invoice.total > 0 and invoice.due_on}
    text = render_to_string("documents/mail_invoice.txt", context | figures)
    return str(invoice.number), f"{seller} invoice for {month}: {total}", text


def _parts(invoice: Invoice) -> list[tuple[str, str]]:
    """What the total is made of, in the few rows that fit a mail."""
    sums: dict[str, list[Decimal]] = {}
    for group, amount in (
        InvoiceLine.objects.filter(invoice=invoice).order_by("position").values_list("group", "amount")
    ):
        sums.setdefault(GROUPS.get(group, group), []).append(amount)
    rows = [(label, sum_of(amounts)) for label, amounts in sums.items()]
    if invoice.credits:
        rows.append(("Credits", -invoice.credits))
    if invoice.tax:
        rows.append((invoice.tax_name or "Tax", invoice.tax))
    return [(label, formatting.amount(amount, invoice.currency)) for label, amount in rows]
