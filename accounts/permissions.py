"""Who may do what: one table from role to capability, pure and complete on one screen."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Protocol

SEE_EVERYTHING: Final = frozenset(
    {
        "accounts.view",
        "usage.view",
        "sources.view",
        "prices.view",
        "invoices.view",
        "runs.view",
        "credits.view",
        "payments.view",
        "collections.view",
        "reports.view",
        "status.view",
        "audit.view",
        "webhooks.view",
    }
)
CAPABILITIES: Final[Mapping[str, frozenset[str]]] = {
    "finance": SEE_EVERYTHING
    | {
        "accounts.edit",
        "prices.edit",
        "invoices.adjust",
        "invoices.credit",
        "runs.open",
        "runs.hold",
        "runs.approve",
        "runs.issue",
        "credits.request",
        "credits.approve",
        "collections.work",
        "exports.download",
        "webhooks.edit",
    },
    "support": (SEE_EVERYTHING - {"audit.view", "runs.view"}) | {"credits.request", "accounts.edit"},
    "collections": (SEE_EVERYTHING - {"audit.view", "runs.view"}) | {"collections.work", "exports.download"},
    "operator": (SEE_EVERYTHING - {"audit.view"})
    | {"sources.edit", "usage.edit", "runs.open", "runs.hold", "accounts.edit", "webhooks.edit"},
    "auditor": SEE_EVERYTHING | {"exports.download"},
}
# A credit up to this amount (in the account's currency) needs no second person.
CREDIT_LIMIT: Final[Mapping[str, Decimal]] = {"support": Decimal(100), "finance": Decimal(1000)}


# A refund up to this amount (in the payment's currency) needs no second person.
REFUND_LIMIT: Final[Mapping[str, Decimal]] = {"collections": Decimal(100), "finance": Decimal(1000)}


class Person(Protocol):
    """Whoever carries a role: a signed-in user, or the user behind a key."""

    role: str
    is_active: bool


def has(person: object, capability: str) -> bool:
    """Return whether ``person`` (a User, or anonymous) may do ``capability``, e.g. ``"invoices.adjust"``."""
    role = getattr(person, "role", "")
    return bool(getattr(person, "is_active", False)) and capability in CAPABILITIES.get(role, frozenset())


def is_staff_member(person: object) -> bool:
    """Return whether ``person`` works here, in whatever role."""
    return bool(getattr(person, "is_active", False)) and getattr(person, "role", "") in CAPABILITIES


def credit_limit(person: object) -> Decimal:
    """Return the largest credit ``person`` may grant alone; zero when every credit needs a second person."""
    return CREDIT_LIMIT.get(getattr(person, "role", ""), Decimal(0))


def refund_limit(person: object) -> Decimal:
    """Return the largest refund ``person`` may make alone; zero when every refund needs a second person."""
    return REFUND_LIMIT.get(getattr(person, "role", ""), Decimal(0))
