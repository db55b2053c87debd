"""Find what people and programs name: an invoice by its number, or a draft by its key."""

from billing.models import Invoice, InvoiceLine
from core.errors import NotFound

LARGEST_KEY = 2**63 - 1


def invoice(key: str) -> Invoice:
    """Return an invoice with its account, seller and run; raise NotFound."""
    invoices = Invoice.objects.select_related("account", "seller", "run")
    found = invoices.filter(pk=int(key)).first() if is_key(key) else invoices.filter(number=key).first()
    if found is None:
        raise NotFound(f"There is no invoice {key:.60}. Look for it in the list of invoices.")
    return found


def line(found: Invoice, line_id: int) -> InvoiceLine:
    """Return one line of an invoice with its price; raise NotFound."""
    lines = InvoiceLine.objects.select_related("invoice__account", "price__product", "adjusts")
    row = lines.filter(invoice=found, pk=line_id).first()
    if row is None:
        raise NotFound(f"Invoice {found} has no such line.")
    return row


def is_key(text: str) -> bool:
    """Say whether a text names an invoice by its key; a number is never all digits."""
    return text.isascii() and text.isdigit() and int(text) <= LARGEST_KEY
