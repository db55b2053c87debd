"""Accounts come into being, change and end: the one door to whom we bill."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError

from accounts.models import Account
from core import clock, money
from core.audit import acting
from core.errors import Conflict, Invalid, NotFound

CODE: Final = re.compile(r"[^\s/?#%\x00-\x1f\x7f]{1,200}")
RESERVED: Final = frozenset({"new", ".", ".."})  # names that addresses below /accounts/ need for themselves
COUNTRY: Final = re.compile(r"[A-Z]{2}")
LONGEST_TERMS: Final = 365
# The code is what usage names; the currency is that of every price, invoice and posting of the account.
SETTLED_AT_BIRTH: Final = frozenset({"code", "currency"})
CHANGEABLE: Final = frozenset(
    {
        "name",
        "kind",
        "email",
        "address",
        "country",
        "region",
        "tax_id",
        "tax_exempt",
        "payment_terms_days",
        "delivery",
    }
)


def find(code: str) -> Account:
    """Return the account that the platform calls ``code``; raise NotFound when there is none."""
    try:
        return Account.objects.get(code=code)
    except Account.DoesNotExist:
        raise NotFound(f"There is no account {code!r:.80}. Check the code, or register the account first.") from None


def register(fields: Mapping[str, Any], *, actor: str, reason: str = "") -> Account:
    """Register an account from ``code``, ``name`` and whatever else differs from the defaults.

    Raises Invalid with the field that is wrong, and Conflict when the code is taken.
    """
    _refuse_unknown(fields, CHANGEABLE | SETTLED_AT_BIRTH)
    account = Account(**fields)
    if not CODE.fullmatch(account.code) or account.code in RESERVED:
        raise Invalid(
            "A code has 1 to 200 characters without spaces, slashes or any of ? # %, and is not 'new'.", field="code"
        )
    if Account.objects.filter(code=account.code).exists():
        raise Conflict(f"There is an account {account.code} already; open that one instead.")
    money.exponent(account.currency)  # raises Invalid for what is not a currency
    _check(account)
    with acting(actor, reason):
        account.save(force_insert=True)
    return account


def change(code: str, fields: Mapping[str, Any], *, actor: str, reason: str = "") -> Account:
    """Change what may change of an account; its code and currency never do. A repeat changes nothing more."""
    for name in SETTLED_AT_BIRTH & fields.keys():
        raise Invalid(f"The {name} of an account never changes; register another account instead.", field=name)
    _refuse_unknown(fields, CHANGEABLE)
    with acting(actor, reason):
        account = Account.objects.select_for_update().filter(code=code).first() or find(code)
        for name, value in fields.items():
            setattr(account, name, value)
        _check(account)
        account.save(update_fields=sorted(fields))
    return account


def close(code: str, *, actor: str, reason: str) -> Account:
    """End an account: the month under way is its last to be billed. Nothing is deleted; a repeat changes nothing."""
    if not reason.strip():
        raise Invalid("Say why the account is closed.", field="reason")
    with acting(actor, reason):
        Account.objects.filter(code=code, closed_at=None).update(closed_at=clock.database_now())
    return find(code)


def reopen(code: str, *, actor: str, reason: str) -> Account:
    """Bill a closed account again from the running month on; a repeat changes nothing."""
    with acting(actor, reason):
        Account.objects.filter(code=code, closed_at__isnull=False).update(closed_at=None)
    return find(code)


def _refuse_unknown(fields: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in sorted(fields.keys() - known):
        raise Invalid(f"{name!r:.60} is not something that can be set on an account.", field=name)


def _check(account: Account) -> None:
    """Hold the account against its model's rules; raise Invalid for the first one that is broken."""
    if account.country and not COUNTRY.fullmatch(account.country):
        raise Invalid("A country is its two capital letters of ISO 3166, for example US or DE.", field="country")
    if isinstance(account.payment_terms_days, int) and account.payment_terms_days > LONGEST_TERMS:
        raise Invalid(f"Payment terms are {LONGEST_TERMS} days at most.", field="payment_terms_days")
    try:
        account.full_clean(validate_unique=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(f"{field}: {messages[0]}" if field != "__all__" else messages[0], field=field) from None
