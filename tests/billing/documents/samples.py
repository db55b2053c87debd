"""Invoices to look at and to test with: facts made by hand, no database."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from billing.documents.facts import CreditNoteFacts, InvoiceFacts, LineFacts, PartyFacts

SELLER = PartyFacts(
    name="Vault Demo Platform Inc.",
    address="415 Mission Street, Suite 300\nSan Francisco, CA 94105",
    country="US",
    tax_id="94-3320693",
    email="billing@platform.example",
    payment_instructions="Cards on file are charged automatically.\n"
    "By transfer: Example Bank, IBAN GB33 BUKB 2020 1555 5555 55, quoting the invoice number.",
)
CUSTOMER = PartyFacts(
    name="Civic Data Cooperative",
    address="1200 Example Avenue NW\nWashington, DC 20005",
    country="US",
    email="accounts@civic-data.example",
    code="civic-data",
)
CENT = Decimal("0.01")
JUNE = (date(2020, 6, 1), date(2020, 7, 1))
DYNOS, ADDONS = "Application dynos", "Add-on services"


def line(
    app: str,
    description: str,
    quantity: str,
    unit_amount: str,
    group: str = DYNOS,
    *,
    period: tuple[date, date] = JUNE,
    **more: object,
) -> LineFacts:
    """One line of a price by the month."""
    amount = (Decimal(quantity) * Decimal(unit_amount)).quantize(CENT, rounding=ROUND_HALF_UP)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in period)
    made = LineFacts(
        "usage", app, group, description, Decimal(quantity), "month", Decimal(unit_amount), amount, start, end
    )
    return replace(made, **more)  # type: ignore[arg-type]


O1_LINES = (
    line("app-a", "web · Hobby", "1", "7"),
    line("app-b", "release · Hobby", "0.0000976", "7"),
    line("app-b", "web · Hobby", "1", "7"),
    line("app-b", "worker · Hobby", "1", "7"),
    line("app-b", "run · Hobby", "0.0073211", "7"),
    line("app-b", "Postgres Standard-0", "1", "50", ADDONS),
    line("app-c (deleted)", "release · Hobby", "0.0000537", "7"),
    line("app-c (deleted)", "web · Hobby", "0.0306929", "7"),
    line("app-c (deleted)", "run · Hobby", "0.0000085", "7"),
    line("app-d", "web · Hobby", "0.0425833", "7"),
)


def invoice(lines: Iterable[LineFacts] = O1_LINES, **more: object) -> InvoiceFacts:
    """An issued invoice of June 2020 with 6 % tax over ``lines``; ``more`` replaces any fact."""
    lines = tuple(lines)
    subtotal = sum((each.amount for each in lines), Decimal(0))
    credits: tuple[tuple[str, Decimal], ...] = more.pop("credits", ())  # type: ignore[assignment]
    credit_total = sum((amount for _, amount in credits), Decimal(0))
    tax = ((subtotal - credit_total) * Decimal("0.06")).quantize(CENT, rounding=ROUND_HALF_UP)
    made = InvoiceFacts(
        number="VAULT-2020-000117",
        draft=False,
        seller=SELLER,
        customer=CUSTOMER,
        currency="USD",
        period_start=JUNE[0],
        period_end=JUNE[1],
        issued_on=date(2020, 7, 1),
        due_on=date(2020, 7, 15),
        lines=lines,
        credits=credits,
        subtotal=subtotal,
        credit_total=credit_total,
        tax_name="Sales tax",
        tax_rate=Decimal("0.06"),
        tax=tax,
        total=subtotal - credit_total + tax,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def many_lines(count: int) -> tuple[LineFacts, ...]:
    """``count`` lines over apps of four lines each."""
    kinds = ("web · Standard-1X", "worker · Standard-2X", "release · Standard-1X", "Postgres Standard-0")
    return tuple(
        line(f"service-{index // 4:03d}", kinds[index % 4], f"{(index % 97 + 1) / 100:.2f}", "25")
        for index in range(count)
    )


def credit_note() -> CreditNoteFacts:
    """A credit note that takes back the database of the June invoice."""
    return CreditNoteFacts(
        number="VAULT-CN-2020-000003",
        invoice_number="VAULT-2020-000117",
        invoice_issued_on=date(2020, 7, 1),
        seller=SELLER,
        customer=CUSTOMER,
        currency="USD",
        reason="Database unavailable on 12 June",
        issued_on=date(2020, 7, 9),
        lines=(("app-b", "Postgres Standard-0", Decimal("25.00")),),
        subtotal=Decimal("25.00"),
        tax_name="Sales tax",
        tax_rate=Decimal("0.06"),
        tax=Decimal("1.50"),
        total=Decimal("26.50"),
    )
