"""Who stands behind an actor: four eyes are two people, whatever keys they hold."""

from django.db.models import Q, QuerySet

from accounts import permissions
from accounts.models import ApiKey, User
from core.errors import Refused
from core.models import AuditEntry


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
    """Say whether two actors are the same person, also after they changed their e-mail address.

    Whoever ever had the address counts: when it was handed on, four eyes take somebody who never had it.
    """
    return one == other or bool(_ever(one) & _ever(other))


def names_of(person: User) -> list[str]:
    """Return every actor that this person signs, or signed, as."""
    emails = _changes(row=str(person.pk)).values_list("before__email", "after__email")
    known = {person.email} | {email for pair in emails for email in pair if email}
    keys = ApiKey.objects.filter(user=person).values_list("prefix", flat=True)
    return [*(f"user:{email}" for email in sorted(known)), *(f"key:{prefix}" for prefix in keys)]


def _ever(actor: str) -> set[str]:
    """Return the ids of the people who are, or once were, ``actor``."""
    person = behind(actor)
    found = {str(person.pk)} if person else set()
    kind, _, email = actor.partition(":")
    if kind == "user":
        had = Q(before__email__iexact=email) | Q(after__email__iexact=email)
        found |= set(_changes().filter(had).values_list("row", flat=True))
    return found


def _changes(**of: str) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(table="accounts_user", **of)


def require(actor: str, capability: str) -> User:
    """Return the person behind ``actor`` if their role has ``capability``; else raise Refused."""
    person = behind(actor)
    if person is None:
        raise Refused("This takes a person: sign in, or name a member of staff.")
    if not permissions.has(person, capability):
        raise Refused(f"{person.email} may not do this; it takes a role with {capability!r}.")
    return person
