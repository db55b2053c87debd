"""Plain facts of an invoice or a credit note: what presenting needs, read from the database by ``loading``."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.exact import ZERO


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """A party as it was kept at issue; ``address`` holds one printed line per line of text."""

    name: str
    address: str = ""
    country: str = ""
    tax_id: str = ""
    email: str = ""
    code: str = ""  # of an account
    payment_instructions: str = ""  # of a seller


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line of an invoice. ``adjusts`` is the number of the invoice it corrects.

    ``rated`` is what the price makes of the quantity; a person may have charged another amount, and signed for it.
    """

    kind: str  # "usage", "contract", "adjustment", "manual"
    app: str
    group: str  # the product group as printed
    description: str
    quantity: Decimal
    unit: str
    unit_amount: Decimal | None
    amount: Decimal
    start: datetime
    end: datetime
    adjusts: str = ""
    reason: str = ""
    rated: Decimal | None = None
    author: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """One invoice with everything that is printed on it. A draft has neither number nor dates."""

    number: str
    draft: bool
    seller: PartyFacts
    customer: PartyFacts
    currency: str
    period_start: date
    period_end: date
    issued_on: date | None
    due_on: date | None
    lines: tuple[LineFacts, ...]
    credits: tuple[tuple[str, Decimal], ...]  # why each was given, and how much of it this invoice took
    subtotal: Decimal
    credit_total: Decimal
    tax_name: str
    tax_rate: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class CreditNoteFacts:
    """One credit note; ``lines`` are pairs of what is taken back (with its app) and how much of it."""

    number: str
    invoice_number: str
    invoice_issued_on: date | None
    seller: PartyFacts
    customer: PartyFacts
    currency: str
    reason: str
    issued_on: date
    lines: tuple[tuple[str, str, Decimal], ...]  # app, description, amount
    subtotal: Decimal
    tax_name: str
    tax_rate: Decimal
    tax: Decimal
    total: Decimal
    granted: Decimal = ZERO  # of total: became credits for the next invoices
