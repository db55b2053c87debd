"""Read invoices and credit notes into plain facts: a handful of queries for a whole batch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import Value
from django.db.models.functions import Coalesce

from accounts.models import Account
from billing.documents.facts import CreditNoteFacts, InvoiceFacts, LineFacts, PartyFacts
from billing.models import CreditApplication, CreditNote, Invoice, InvoiceLine, ProductGroup, Seller
from billing.models.invoice import InvoiceStatus

GROUPS: Final = dict(ProductGroup.choices)
LINE_FIELDS: Final = (
    "invoice_id",
    "kind",
    "app",
    "group",
    "description",
    "quantity",
    "unit",
    "unit_amount",
    "amount",
    "period_start",
    "period_end",
    "adjusts_number",
    "reason",
    "rated",
    "author",
)


def invoice_facts(invoice: Invoice) -> InvoiceFacts:
    """Read one invoice; a draft shows the parties as they are now."""
    return invoices_facts([invoice])[invoice.pk]


def invoices_facts(invoices: Sequence[Invoice]) -> dict[int, InvoiceFacts]:
    """Read a batch of invoices by their keys: three queries, whatever their number."""
    keys = [invoice.pk for invoice in invoices]
    lines, credits = _lines(keys), _credits(keys)
    parties = _current_parties([invoice for invoice in invoices if not invoice.bill_to])
    return {
        invoice.pk: _facts(invoice, parties.get(invoice.pk), tuple(lines[invoice.pk]), tuple(credits[invoice.pk]))
        for invoice in invoices
    }


def credit_note_facts(note: CreditNote) -> CreditNoteFacts:
    """Read one credit note with the parties of the invoice it corrects."""
    invoice = note.invoice
    lines = note.lines.select_related("line").order_by("line__position", "pk")
    return CreditNoteFacts(
        number=note.number,
        invoice_number=invoice.number or "",
        invoice_issued_on=invoice.issued_on,
        seller=_party(invoice.sold_by),
        customer=_party(invoice.bill_to),
        currency=note.currency,
        reason=note.reason,
        issued_on=note.issued_on,
        lines=tuple((row.line.app, row.line.description, row.amount) for row in lines),
        subtotal=note.subtotal,
        tax_name=invoice.tax_name,
        tax_rate=invoice.tax_rate,
        tax=note.tax,
        total=note.total,
        granted=note.granted,
    )


def _facts(
    invoice: Invoice,
    now: tuple[PartyFacts, PartyFacts] | None,
    lines: tuple[LineFacts, ...],
    credits: tuple[tuple[str, Any], ...],
) -> InvoiceFacts:
    seller, customer = now or (_party(invoice.sold_by), _party(invoice.bill_to))
    return InvoiceFacts(
        number=invoice.number or "",
        draft=invoice.status == InvoiceStatus.DRAFT,
        seller=seller,
        customer=customer,
        currency=invoice.currency,
        period_start=invoice.period_start,
        period_end=invoice.period_end,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        lines=lines,
        credits=credits,
        subtotal=invoice.subtotal,
        credit_total=invoice.credits,
        tax_name=invoice.tax_name,
        tax_rate=invoice.tax_rate,
        tax=invoice.tax,
        total=invoice.total,
    )


def _lines(keys: Sequence[int]) -> dict[int, list[LineFacts]]:
    found: dict[int, list[LineFacts]] = defaultdict(list)
    lines = InvoiceLine.objects.filter(invoice_id__in=keys).order_by("invoice_id", "position")
    rows = lines.annotate(adjusts_number=Coalesce("adjusts__number", Value(""))).values_list(*LINE_FIELDS)
    for key, kind, app, group, *rest in rows:
        values: list[Any] = [kind, app, GROUPS.get(group, group), *rest]
        found[key].append(LineFacts(*values))
    return found


def _credits(keys: Sequence[int]) -> dict[int, list[tuple[str, Any]]]:
    found: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    rows = CreditApplication.objects.filter(invoice_id__in=keys).order_by("pk")
    for key, reason, amount in rows.values_list("invoice_id", "grant__reason", "amount"):
        found[key].append((reason, amount))
    return found


def _current_parties(drafts: Iterable[Invoice]) -> dict[int, tuple[PartyFacts, PartyFacts]]:
    drafts = list(drafts)
    sellers = Seller.objects.in_bulk([draft.seller_id for draft in drafts])
    accounts = Account.objects.in_bulk([draft.account_id for draft in drafts])
    return {draft.pk: (_seller(sellers[draft.seller_id]), _account(accounts[draft.account_id])) for draft in drafts}


def _seller(seller: Seller) -> PartyFacts:
    return PartyFacts(
        name=seller.name,
        address=seller.address,
        country=seller.country,
        tax_id=seller.tax_id,
        email=seller.email,
        payment_instructions=seller.payment_instructions,
    )


def _account(account: Account) -> PartyFacts:
    return PartyFacts(
        name=account.name,
        address=account.address,
        country=account.country,
        tax_id=account.tax_id,
        email=account.email,
        code=account.code,
    )


def _party(kept: dict[str, Any]) -> PartyFacts:
    """Read a party as the invoice keeps it; what was not kept is blank."""
    return PartyFacts(
        name=str(kept.get("name") or ""),
        address=str(kept.get("address") or ""),
        country=str(kept.get("country") or ""),
        tax_id=str(kept.get("tax_id") or ""),
        email=str(kept.get("email") or ""),
        code=str(kept.get("account") or ""),
        payment_instructions=str(kept.get("payment_instructions") or ""),
    )
