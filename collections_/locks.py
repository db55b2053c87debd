"""Every row lock of collections, in one order: account, invoices by id, attempt, payment, case."""

from collections.abc import Collection

from accounts.models import Account
from billing.models import Invoice, InvoiceStatus
from collections_.models import Case, ChargeAttempt, Payment
from core.errors import NotFound

OWED = (InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE)  # what money can still settle


def account(account_id: int) -> Account:
    """Lock one account against another payment of it being spread at the same moment."""
    found = Account.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if found is None:
        raise NotFound("There is no such account; look it up under Accounts")
    return found


def invoice(invoice_id: int) -> Invoice:
    """Lock one invoice."""
    found = Invoice.objects.select_for_update(no_key=True).filter(pk=invoice_id).first()
    if found is None:
        raise NotFound("There is no such invoice")
    return found


def owed_invoices(account_id: int, currency: str) -> list[Invoice]:
    """Lock every invoice on which the account owes something in ``currency``, also those written off."""
    owed = Invoice.objects.filter(status__in=OWED, account_id=account_id, currency=currency, outstanding__gt=0)
    return list(owed.select_for_update(no_key=True).order_by("pk"))


def open_among(invoice_ids: Collection[int]) -> list[int]:
    """Lock those of some invoices on which something is still owed, and return their ids."""
    owed = Invoice.objects.open().filter(pk__in=invoice_ids, outstanding__gt=0)
    return list(owed.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def attempt(attempt_id: int) -> ChargeAttempt:
    """Lock one charge attempt."""
    found = ChargeAttempt.objects.select_for_update(no_key=True).filter(pk=attempt_id).first()
    if found is None:
        raise NotFound("There is no such charge attempt")
    return found


def payment(payment_id: int) -> Payment:
    """Lock one payment."""
    found = Payment.objects.select_for_update(no_key=True).filter(pk=payment_id).first()
    if found is None:
        raise NotFound("There is no such payment")
    return found


def case(case_id: int) -> Case:
    """Lock one case."""
    found = Case.objects.select_for_update(no_key=True).filter(pk=case_id).first()
    if found is None:
        raise NotFound("There is no such case")
    return found


def open_cases(account_ids: Collection[int]) -> list[Case]:
    """Lock the open cases of some accounts."""
    cases = Case.objects.filter(account_id__in=account_ids, state="open")
    return list(cases.select_for_update(no_key=True).order_by("pk"))
