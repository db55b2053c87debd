"""From facts to a finished document: order, grouping, sums and the one way each value is written. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import groupby
from typing import Final

from babel import Locale

from billing.documents.facts import CreditNoteFacts, InvoiceFacts, LineFacts, PartyFacts
from billing.documents.snapshot import Block, Document, Figure, Line, Party
from core import formatting
from core.money import total as sum_of

MONTH_PLACES: Final = Decimal("0.0000001")
MOST_PLACES: Final = Decimal("0.0000001")
MOST_CREDITS: Final = 6  # rows; more are summed up
PER: Final = {"fee": "flat fee", "amount": "of amount"}
WITHOUT_APP: Final = "Not tied to an app"
TERMS: Final = "Terms of your contract"
ADDITIONAL: Final = "Additional items"
ADJUSTMENTS: Final = "Adjustments of earlier invoices"


def present_invoice(invoice: InvoiceFacts) -> Document:
    """Return the invoice as it is printed: a summary by product group, then a block of lines per app."""
    return Document(
        title="Invoice",
        number=invoice.number,
        seller=_party(invoice.seller),
        customer=_party(invoice.customer),
        facts=tuple(_invoice_facts(invoice)),
        currency=invoice.currency,
        summary=tuple(_summary(invoice)),
        total_label="Total",
        total=formatting.amount_with_currency(invoice.total, invoice.currency),
        total_note=_due(invoice),
        blocks=tuple(_blocks(invoice)),
        dated=invoice.issued_on,
        notes=tuple(_notes(invoice)),
        instructions=_text_lines(invoice.seller.payment_instructions) if invoice.total > 0 else (),
        draft=invoice.draft,
    )


def present_credit_note(note: CreditNoteFacts) -> Document:
    """Return the credit note as it is printed; it names the invoice it corrects, as the law asks."""
    return Document(
        title="Credit note",
        number=note.number,
        seller=_party(note.seller),
        customer=_party(note.customer),
        facts=(
            ("Number", note.number),
            ("Date", formatting.day(note.issued_on)),
            ("Corrects invoice", note.invoice_number),
            ("Invoice date", formatting.day(note.invoice_issued_on) if note.invoice_issued_on else formatting.NOTHING),
            ("Account", note.customer.code),
        ),
        currency=note.currency,
        summary=(
            Figure("Subtotal", formatting.amount(note.subtotal, note.currency), "sum"),
            *_tax(note.tax_name, note.tax_rate, note.tax, note.currency),
        ),
        total_label="Total credited",
        total=formatting.amount_with_currency(note.total, note.currency),
        total_note=_settled_by(note),
        blocks=tuple(_credited(note)),
        dated=note.issued_on,
        notes=(f"Reason: {note.reason}",) if note.reason else (),
    )


def period(start: date, end: date) -> str:
    """Write a period whose end is not part of it: ``Jun 01 – Jul 01, 2020``, with both years when they differ."""
    first = f"{_day(start)}, {start.year}" if start.year != end.year else _day(start)
    return f"{first} – {_day(end)}, {end.year}"


def quantity(value: Decimal, unit: str) -> str:
    """Write a line's quantity: months always with 7 digits after the point, all else with at most 7."""
    if unit == "month":
        return f"{value.quantize(MONTH_PLACES, rounding=ROUND_HALF_UP):,f}"
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -7:
        value = value.quantize(MOST_PLACES, rounding=ROUND_HALF_UP)
    return formatting.quantity(value)


def price(unit_amount: Decimal | None, unit: str, currency: str) -> str:
    """Write what one unit costs: ``7.00 / month``, ``5.00 flat fee``; tiers have no single one."""
    if unit_amount is None:
        return "in tiers"
    number = formatting.price(unit_amount, currency).removesuffix(f" {currency}")
    return f"{number} {PER[unit]}" if unit in PER else f"{number} / {unit}"


def _day(value: date) -> str:
    return f"{formatting.MONTHS[value.month - 1][:3]} {value.day:02d}"


def _party(facts: PartyFacts) -> Party:
    pairs = (("Tax ID", facts.tax_id), ("", facts.email))
    address, country = _text_lines(facts.address), _country(facts.country)
    if country and country not in address:
        address = (*address, country)
    name = facts.name or facts.code
    if address[:1] == (name,):  # many addresses begin with the name itself
        address = address[1:]
    return Party(name, address, tuple(pair for pair in pairs if pair[1]))


@cache
def _country(code: str) -> str:
    """``US`` is United States; a code that nobody knows stays as it is."""
    return str(Locale("en").territories.get(code, code))


def _text_lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _invoice_facts(invoice: InvoiceFacts) -> Iterable[tuple[str, str]]:
    yield "Invoice number", invoice.number or "not yet given"
    if invoice.issued_on:
        yield "Invoice date", formatting.day(invoice.issued_on)
    if invoice.due_on:
        yield "Due date", formatting.day(invoice.due_on)
    yield "Period (UTC)", period(invoice.period_start, invoice.period_end)
    yield "Account", invoice.customer.code


def _due(invoice: InvoiceFacts) -> str:
    if invoice.draft:
        return "A draft: nothing is due yet."
    if invoice.total <= 0 or invoice.due_on is None:
        return "Nothing is due."
    if invoice.due_on == invoice.issued_on:
        return "Due on receipt."
    return f"Due on {formatting.day(invoice.due_on)}."


def _summary(invoice: InvoiceFacts) -> Iterable[Figure]:
    currency = invoice.currency
    for label, lines in _grouped(invoice.lines):
        yield Figure(label, formatting.amount(sum_of(line.amount for line in lines), currency))
    yield Figure("Subtotal", formatting.amount(invoice.subtotal, currency), "sum")
    if invoice.credit_total:
        for label, amount in _credit_rows(invoice):
            yield Figure(label, formatting.amount(-amount, currency))
        taxable = invoice.subtotal - invoice.credit_total
        yield Figure("Subtotal after credits", formatting.amount(taxable, currency), "sum")
    yield from _tax(invoice.tax_name, invoice.tax_rate, invoice.tax, currency)


def _grouped(lines: Sequence[LineFacts]) -> Iterable[tuple[str, list[LineFacts]]]:
    """Product groups in order of first appearance, then what is not usage of this month."""
    named = {"contract": TERMS, "manual": ADDITIONAL, "adjustment": ADJUSTMENTS}
    found: dict[str, list[LineFacts]] = {}
    for line in sorted(lines, key=lambda line: list(("usage", *named)).index(line.kind)):
        found.setdefault(named.get(line.kind, line.group), []).append(line)
    return found.items()


def _credit_rows(invoice: InvoiceFacts) -> Iterable[tuple[str, Decimal]]:
    if 0 < len(invoice.credits) <= MOST_CREDITS:
        return ((f"Credit: {reason}", amount) for reason, amount in invoice.credits)
    return (("Credits", invoice.credit_total),)


def _tax(name: str, rate: Decimal, tax: Decimal, currency: str) -> Iterable[Figure]:
    if name or rate or tax:
        yield Figure(f"{name or 'Tax'} {formatting.quantity(rate * 100)} %", formatting.amount(tax, currency))


def _notes(invoice: InvoiceFacts) -> Iterable[str]:
    if any(line.unit == "month" for line in invoice.lines):
        yield (
            "Quantities in months are seconds of use divided by the seconds of the month; a full month is 1.0000000."
            " Each line is rounded once, half up."
        )
    if "reverse charge" in invoice.tax_name.lower():
        yield "Reverse charge: the customer is liable for the tax."


def _blocks(invoice: InvoiceFacts) -> Iterable[Block]:
    """One block per app in order of first appearance, then additional items, then adjustments by invoice."""
    usage = [line for line in invoice.lines if line.kind == "usage"]
    apps: dict[str, list[LineFacts]] = {}
    for line in usage:
        apps.setdefault(line.app, []).append(line)
    for app, lines in sorted(apps.items(), key=lambda item: not item[0]):
        yield _block(app or WITHOUT_APP, lines, invoice)
    if terms := [line for line in invoice.lines if line.kind == "contract"]:
        yield _block(TERMS, terms, invoice, with_app=True)
    if manual := [line for line in invoice.lines if line.kind == "manual"]:
        yield _block(ADDITIONAL, manual, invoice, with_app=True)
    adjustments = [line for line in invoice.lines if line.kind == "adjustment"]
    for (number, month), late in groupby(sorted(adjustments, key=_adjusted), _adjusted):
        what = f"invoice {number} ({formatting.month(month)})" if number else formatting.month(month)
        yield _block(f"Adjustments of {what}", list(late), invoice, with_app=True)


def _adjusted(line: LineFacts) -> tuple[str, date]:
    return line.adjusts, line.start.date().replace(day=1)


def _block(title: str, lines: Sequence[LineFacts], invoice: InvoiceFacts, *, with_app: bool = False) -> Block:
    subtotal = formatting.amount(sum_of(line.amount for line in lines), invoice.currency)
    return Block(title, tuple(_line(line, invoice, with_app) for line in lines), subtotal)


def _line(line: LineFacts, invoice: InvoiceFacts, with_app: bool) -> Line:
    counted = line.kind not in ("manual", "contract") or line.unit  # what a person added is an amount and no more
    return Line(
        description=f"{line.app} · {line.description}" if with_app and line.app else line.description,
        quantity=quantity(line.quantity, line.unit) if counted else "",
        price=price(line.unit_amount, line.unit, invoice.currency) if counted else "",
        amount=formatting.amount(line.amount, invoice.currency),
        note=_note(line, invoice),
    )


def _note(line: LineFacts, invoice: InvoiceFacts) -> str:
    """What a reader would ask: which part of the month, why an adjustment, why not quantity times price.

    What a person wrote as the reason of a change is for the house and stays there.
    """
    if line.rated is not None and line.rated != line.amount:
        return f"Charged instead of {formatting.amount(line.rated, invoice.currency)}"
    if line.kind == "adjustment":
        return "" if line.author else line.reason
    start, end = line.start.astimezone(UTC).date(), line.end.astimezone(UTC).date()
    if line.kind in ("manual", "contract") or (start, end) == (invoice.period_start, invoice.period_end):
        return ""
    return period(start, end if end > start else start + timedelta(days=1))


def _settled_by(note: CreditNoteFacts) -> str:
    """Say what the customer has of it: less is due, or the next invoices are lower."""
    lowered = note.total - note.granted
    less_due = f"Lowers what is due on invoice {note.invoice_number}"
    next_less = "lowers your next invoices, before tax"
    if not note.granted:
        return f"{less_due}."
    if not lowered:
        return f"Invoice {note.invoice_number} is paid: it {next_less}."
    granted = formatting.amount_with_currency(note.granted, note.currency)
    return f"{less_due} by {formatting.amount_with_currency(lowered, note.currency)}; {granted} {next_less}."


def _credited(note: CreditNoteFacts) -> Iterable[Block]:
    for app, credited in groupby(note.lines, lambda line: line[0]):
        rows = [(description, amount) for _, description, amount in credited]
        yield Block(
            app or WITHOUT_APP,
            tuple(Line(description, "", "", formatting.amount(amount, note.currency)) for description, amount in rows),
            formatting.amount(sum_of(amount for _, amount in rows), note.currency),
        )
