"""Make simulated tenants known to the books: their account, and the card they pay with."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from accounts import registering
from accounts.models import Account
from billing import catalogue
from collections_ import methods
from vault.simulation.tenants import Tenant

CARD_EXPIRES: Final = date(2032, 12, 31)


def register(tenants: Iterable[Tenant], *, actor: str) -> int:
    """Register whoever is missing and return how many that were; a repeat registers nobody.

    What the platform sells is planted as far as it is missing: usage without a price would hold everybody.
    """
    catalogue.seed()
    tenants = list(tenants)
    known = set(Account.objects.filter(code__in=[t.code for t in tenants]).values_list("code", flat=True))
    new = [tenant for tenant in tenants if tenant.code not in known]
    for tenant in new:
        _register(tenant, actor)
    return len(new)


def _register(tenant: Tenant, actor: str) -> None:
    fields = {
        "code": tenant.code,
        "name": tenant.name,
        "kind": tenant.kind,
        "currency": tenant.currency,
        "country": tenant.country,
        "region": tenant.region,
        "email": tenant.email,
        "address": f"{tenant.name}\n1 Example Square",
    }
    account = registering.register(fields, actor=actor, reason="simulated tenant")
    if tenant.card:
        token = f"{tenant.card}/{tenant.code}"
        methods.register(account.pk, token=token, brand="Visa", last4="4242", expires=CARD_EXPIRES, actor=actor)
