"""Keys for programs: made once, shown once, revoked for good."""

from collections.abc import Sequence
from datetime import datetime

from accounts.authentication import SCOPES
from accounts.models import ACCOUNT_SCOPES, Account, ApiKey, User
from accounts.permissions import is_staff_member
from core import clock, keys
from core.audit import acting
from core.errors import Invalid, NotFound
from core.keys import NewKey


def for_account(
    account: Account, scopes: Sequence[str], *, actor: str, name: str = "", expires_at: datetime | None = None
) -> NewKey:
    """Make a key that sees ``account`` and nothing else. Its text is in the answer and nowhere else."""
    return _mint(ApiKey(account=account, name=name, expires_at=expires_at), scopes, ACCOUNT_SCOPES, actor)


def for_staff(
    user: User, scopes: Sequence[str], *, actor: str, name: str = "", expires_at: datetime | None = None
) -> NewKey:
    """Make a key that acts with the role of ``user``, who must work here."""
    if not is_staff_member(user):
        raise Invalid(f"{user.email} does not work here; make a key for their account instead.", field="user")
    return _mint(ApiKey(user=user, name=name, expires_at=expires_at), scopes, SCOPES, actor)


def revoke(prefix: str, *, actor: str, account: Account | None = None, reason: str = "") -> ApiKey:
    """End a key at once and for good; with ``account``, only a key of that account is found. Safe to repeat."""
    mine = ApiKey.objects.filter(prefix=prefix, **({"account": account} if account else {}))
    with acting(actor, reason):
        mine.filter(revoked_at=None).update(revoked_at=clock.database_now())
    found = mine.select_related("account", "user").first()
    if found is None:
        raise NotFound("There is no such key here.")
    return found


def _mint(key: ApiKey, scopes: Sequence[str], allowed: Sequence[str], actor: str) -> NewKey:
    if not scopes:
        raise Invalid(f"A key needs at least one scope of: {', '.join(allowed)}.", field="scopes")
    for scope in scopes:
        if scope not in allowed:
            raise Invalid(
                f"{scope!r:.60} is not a scope this key can have; choose of: {', '.join(allowed)}.", field="scopes"
            )
    if key.expires_at is not None and key.expires_at <= clock.now():
        raise Invalid("The key would have expired already; choose a later day.", field="expires_at")
    if len(key.name) > 100:
        raise Invalid("A key's name has at most 100 characters.", field="name")
    secret = keys.generate("k")
    key.prefix, key.secret_hash = secret.prefix, secret.secret_hash
    key.scopes = [scope for scope in allowed if scope in scopes]
    with acting(actor):
        key.save(force_insert=True)
    return secret
