"""How a program proves who it is: ``Authorization: Bearer KEY``, with scopes that fail closed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from django.db.models import Q
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from accounts import permissions as roles
from accounts.models import ACCOUNT_SCOPES, Account, ApiKey, User
from core import clock, keys

if TYPE_CHECKING:  # the framework loads this module while it loads its views
    from rest_framework.views import APIView

SCOPES: Final = (
    "usage:read",
    "usage:write",
    "invoices:read",
    "invoices:write",
    "credits:read",
    "credits:write",
    "accounts:read",
    "accounts:write",
    "payments:read",
    "payments:write",
    "runs:read",
    "runs:write",
    "quotes:write",
    "contracts:read",
    "contracts:write",
    "webhooks:read",
    "webhooks:write",
    "collections:read",
    "collections:write",
    "sources:write",
    "status:read",
)
_LAST_USED_STEP: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a key of one account (sees only that account), or of a member of staff (their role decides)."""

    actor: str
    scopes: frozenset[str]
    account: Account | None = None
    user: User | None = None

    is_authenticated = True

    def may(self, capability: str) -> bool:
        """Whether a staff key's person has ``capability``; an account's key never has one."""
        return self.user is not None and roles.has(self.user, capability)


def principal(request: Request) -> Principal:
    """Return who calls an API view that HasScope let through."""
    return cast(Principal, request.user)


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """Find the key by its prefix, compare its hash, refuse what is expired or revoked."""

    def authenticate(self, request: Request) -> tuple[Principal, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        key = _find(text.strip())
        if key is None:
            raise exceptions.AuthenticationFailed("This key is unknown, expired or revoked; make a new one.")
        now = clock.now()
        if key.last_used_at is None or now - key.last_used_at > _LAST_USED_STEP:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return Principal(key.actor, frozenset(key.scopes), key.account, key.user), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="vault"'


def _find(text: str) -> ApiKey | None:
    prefix = keys.prefix_of(text)
    if prefix is None:
        return None
    now = clock.now()
    key = (
        ApiKey.objects.select_related("account", "user")
        .filter(prefix=prefix, revoked_at__isnull=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .first()
    )
    if key is None or not keys.matches(text, key.secret_hash):
        return None
    return None if key.user is not None and not key.user.is_active else key


class HasScope(permissions.BasePermission):
    """A view declares ``scopes`` (method → scope) and ``capabilities`` (method → staff capability).

    A key needs the scope; a staff key also needs the capability; an account's key may only call what
    ``capabilities`` leaves open to it by ``for_accounts = True``. A view that declares nothing is closed.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        who = request.user
        if not isinstance(who, Principal):
            return False
        method = "GET" if request.method in permissions.SAFE_METHODS else str(request.method)
        scope = getattr(view, "scopes", {}).get(method)
        if scope is None or scope not in who.scopes:
            return False
        if who.account is not None:
            return scope in ACCOUNT_SCOPES and bool(getattr(view, "for_accounts", False))
        capability = getattr(view, "capabilities", {}).get(method)
        return capability is not None and who.may(capability)
