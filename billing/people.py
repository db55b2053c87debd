"""Who stands behind an actor: four eyes are two people, whatever keys they hold."""

from accounts import permissions
from accounts.models import ApiKey, User
from core.errors import Refused


def behind(actor: str) -> User | None:
    """Return the person behind ``user:EMAIL`` or ``key:PREFIX``; None for the system and for accounts' keys."""
    kind, _, name = actor.partition(":")
    if kind == "user":
        return User.objects.filter(email__iexact=name).first()
    if kind == "key":
        key = ApiKey.objects.select_related("user").filter(prefix=name).first()
        return key.user if key else None
    return None


def same(one: str, other: str) -> bool:
    """Say whether two actors are the same person."""
    first, second = behind(one), behind(other)
    return one == other or (first is not None and second is not None and first.pk == second.pk)


def require(actor: str, capability: str) -> User:
    """Return the person behind ``actor`` if their role has ``capability``; else raise Refused."""
    person = behind(actor)
    if person is None:
        raise Refused("This takes a person: sign in, or name a member of staff.")
    if not permissions.has(person, capability):
        raise Refused(f"{person.email} may not do this; it takes a role with {capability!r}.")
    return person
