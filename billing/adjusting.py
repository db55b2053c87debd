"""Adjust a draft before it is issued: add, change or waive a line, with a reason; the sums follow by the same code."""

from decimal import Decimal

from django.db import connection
from django.db.models import Max

from accounts.models import Account
from billing import allocation, approving, catalogue, draft, draft_store, locks
from billing.draft import MANUAL, DraftLine
from billing.holding import BEFORE_ISSUE
from billing.judging import Case, rate_of
from billing.models import CreditApplication, Invoice, InvoiceLine, InvoiceStatus, Outcome, Product, RunAccount
from billing.pricebook import price_book
from core import audit
from core.errors import Conflict, Invalid, NotFound
from core.money import exponent, round_to_minor_unit


def add_line(
    invoice_id: int, *, description: str, amount: Decimal, reason: str, actor: str, app: str = "", group: str = "other"
) -> InvoiceLine:
    """Add a manual line of ``amount`` (whole coins of the invoice's currency; negative to take off) to a draft.

    Raises Invalid for a wrong value, Conflict when the invoice is no draft. Not repeatable.
    """
    if not description.strip():
        raise Invalid("Say what the line is for; the customer reads it.", field="description")
    with audit.acting(actor, _said(reason)):
        invoice = _draft(invoice_id)
        amount = _coins(amount, invoice.currency)
        last = invoice.lines.aggregate(last=Max("position"))["last"] or 0
        line = DraftLine(
            kind=MANUAL,
            description=description.strip()[:300],
            amount=amount,
            unrounded=amount,
            start=invoice.month.start,
            end=invoice.month.end,
            app=app,
            group=group,
            unit_amount=amount,
            reason=reason.strip(),
            author=actor,
        )
        row = InvoiceLine(
            **dict(zip(draft_store.LINE_COLUMNS, draft_store.line_row(invoice.pk, last + 1, line), strict=True))
        )
        row.steps = []
        row.save(force_insert=True)
        recompute(invoice)
    return row


def change_line(line_id: int, *, amount: Decimal, reason: str, actor: str) -> InvoiceLine:
    """Charge another ``amount`` for a line of a draft; what rating said stays beside it. Repeatable.

    Raises Invalid for a wrong amount or no reason, Conflict when the invoice is no draft.
    """
    with audit.acting(actor, _said(reason)):
        line = InvoiceLine.objects.filter(pk=line_id).first()
        if line is None:
            raise NotFound(f"There is no line {line_id}.")
        invoice = _draft(line.invoice_id)
        line.refresh_from_db()
        line.amount, line.reason, line.author = _coins(amount, invoice.currency), reason.strip(), actor
        line.save(update_fields=["amount", "reason", "author"])
        recompute(invoice)
    return line


def waive_line(line_id: int, *, reason: str, actor: str) -> InvoiceLine:
    """Charge nothing for a line of a draft; it stays on the invoice at zero and is not billed again later."""
    return change_line(line_id, amount=Decimal(0), reason=reason, actor=actor)


def recompute(invoice: Invoice) -> None:
    """Write a draft's sums, credits and hash anew from its lines; the caller holds its lock.

    Raises Invalid when one that is to be issued would come to less than nothing.
    """
    account: Account = invoice.account
    lines = lines_of(invoice)
    _give_back(invoice)
    case = Case(
        account.code, invoice.currency, account.country, account.region, account.tax_exempt,
        price_book(invoice.month, (), ()), (), (), catalogue.load_tax_rates(),
    )  # fmt: skip
    sums = draft.sums(lines, _grants(invoice), rate_of(case), invoice.currency, invoice.month)
    if sums.total < 0 and RunAccount.objects.filter(invoice=invoice, outcome=Outcome.DRAFTED).exists():
        raise Invalid(
            "An invoice cannot come to less than nothing; take off less here, and give the rest as a credit.",
            field="amount",
        )
    if not invoice.shadow:
        draft_store.take_credits({invoice.pk: sums.applications})
    for name in ("subtotal", "credits", "tax_name", "tax_rate", "tax", "total"):
        setattr(invoice, name, getattr(sums, name))
    invoice.content_hash = draft.content_hash(account.code, invoice.currency, invoice.month, lines, sums)
    invoice.save(update_fields=["subtotal", "credits", "tax_name", "tax_rate", "tax", "total", "content_hash"])
    RunAccount.objects.filter(invoice=invoice).update(total=sums.total)


def lines_of(invoice: Invoice) -> list[DraftLine]:
    """Return an invoice's lines as values, in order."""
    partners = set(Product.objects.filter(partner=True).values_list("code", flat=True))
    return [
        DraftLine(
            kind=row.kind,
            description=row.description,
            amount=row.amount,
            start=row.period_start,
            end=row.period_end,
            app=row.app,
            product=row.product,
            group=row.group,
            partner=row.product in partners,
            component=row.component,
            meter=row.meter,
            quantity=row.quantity,
            unit=row.unit,
            unit_amount=row.unit_amount,
            rated=row.rated,
            unrounded=row.unrounded,
            price=row.price_id,
            usage=row.usage,
            resources=row.resources,
            steps=row.steps,
            inputs_hash=row.inputs_hash,
            adjusts=row.adjusts_id,
            reason=row.reason,
            author=row.author,
        )
        for row in invoice.lines.order_by("position")
    ]


def _draft(invoice_id: int) -> Invoice:
    """Lock a draft, its run first; an approval of the run is withdrawn because something changes."""
    run_id = Invoice.objects.filter(pk=invoice_id).values_list("run_id", flat=True).first()
    run = locks.run(run_id) if run_id else None
    invoice = locks.invoice(invoice_id)
    if invoice.status != InvoiceStatus.DRAFT:
        raise Conflict(f"{invoice} was issued; correct it by a credit note.")
    if run is not None:
        if run.state not in BEFORE_ISSUE:
            raise Conflict(f"{run} is {run.get_state_display().lower()}; its drafts can be changed before that only.")
        approving.withdraw(run)
    return invoice


def _give_back(invoice: Invoice) -> None:
    """Return what the draft took of credits, under their locks."""
    locks.grants([invoice.account_id])
    with connection.cursor() as cursor:
        cursor.execute(
            "update billing_creditgrant g set balance = g.balance + a.amount from billing_creditapplication a"
            " where a.grant_id = g.id and a.invoice_id = %s",
            [invoice.pk],
        )
    CreditApplication.objects.filter(invoice=invoice).delete()


def _grants(invoice: Invoice) -> list[allocation.Grant]:
    rows = locks.grants([invoice.account_id])
    return [draft_store.as_grant(row) for row in rows if row.currency == invoice.currency]


def _coins(amount: Decimal, currency: str) -> Decimal:
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15 or amount != round_to_minor_unit(amount, currency):
        raise Invalid(
            f"{amount} is not an amount in {currency}; write it with {exponent(currency)} digits after the point.",
            field="amount",
        )
    return round_to_minor_unit(amount, currency)


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Say why; the reason stays with the invoice.", field="reason")
    return reason.strip()
