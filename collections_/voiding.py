"""Void an invoice while nothing of it is being collected, and let its account's case know."""

from datetime import date

from billing import voiding
from billing.models import Invoice
from collections_ import casework, charging, locks
from core import audit
from core.errors import Conflict


def void(invoice_id: int, *, reason: str, actor: str, on: date) -> Invoice:
    """Take back a whole invoice, as ``billing.voiding.void`` allows it; a repeat changes nothing.

    Raises Conflict, beside that verb's own, while a charge of it was not answered: it may have taken the money.
    """
    with audit.acting(actor, reason):
        voiding.wait_for_drafts(invoice_id)
        invoice = locks.invoice(invoice_id)
        if invoice.charge_attempts.filter(outcome__in=charging.UNANSWERED).exists():
            raise Conflict(f"A charge of {invoice} was not answered yet; void it when its outcome is known.")
        invoice = voiding.void(invoice_id, reason=reason, actor=actor, on=on)
        cases = [case for case in locks.open_cases([invoice.account_id]) if case.currency == invoice.currency]
        for case in cases:
            casework.tell(case, "void", f"{invoice.number} is void: {reason.strip()}", actor)
        casework.close_settled(cases, as_of=on, on=on)
    return invoice
