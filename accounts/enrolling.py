"""People come in, take roles, and leave: staff by a role, customers by membership of an account."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.letters import invitation, password_link
from accounts.models import Account, Membership, MembershipRole, Role, User
from core import mailing
from core.audit import acting
from core.errors import Conflict, Invalid, NotFound, Refused


def find(email: str) -> User:
    """Return the person who signs in as ``email``, whatever its case; raise NotFound when there is none."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise NotFound(f"Nobody signs in as {email!r:.80}. Create the user first.")
    return user


def create(email: str, *, role: str, password: str | None, actor: str, name: str = "") -> User:
    """Create somebody who signs in as ``email``; without a password they need a link to set one.

    Raises Conflict when the address is taken, Invalid when address, role or password will not do.
    """
    email = _checked_email(email)
    if role not in Role.values:
        raise Invalid(f"{role!r:.40} is not a role; choose of: {', '.join(filter(None, Role.values))}.", field="role")
    user = User(email=email, name=name, role=role)
    if password is not None:
        check_password(password, user)
    if User.objects.filter(email=email).exists():
        raise Conflict(f"Somebody signs in as {email} already.")
    user.set_password(password)
    with acting(actor):
        user.save(force_insert=True)
    return user


def check_password(password: str, user: User) -> None:
    """Raise Invalid, with every reason, when ``password`` is too easy to guess."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from None


def invite(account: Account, email: str, role: str, *, actor: str, base_url: str) -> Membership:
    """Make ``email`` a member of ``account`` and write to them; whoever is new gets a link to set a password.

    Somebody who is a member already is a Conflict: change their role instead.
    """
    email = _checked_email(email)
    if role not in MembershipRole.values:
        raise Invalid("A member is an owner or a viewer.", field="role")
    with acting(actor):
        user = User.objects.filter(email=email).first() or create(email, role="", password=None, actor=actor)
        membership, new = Membership.objects.get_or_create(account=account, user=user, defaults={"role": role})
        if not new:
            raise Conflict(f"{email} is a member already; change their role instead.")
        link = f"{base_url}/sign-in/" if user.has_usable_password() else f"{base_url}{_set_password_path(user)}"
        mailing.queue(
            kind="invitation",
            reference=f"{membership.pk}",
            recipient=email,
            account_code=account.code,
            **invitation(str(account), role, actor, link, new=not user.has_usable_password()),
        )
    return membership


def change_role(account: Account, membership_id: int, role: str, *, actor: str) -> Membership:
    """Make a member owner or viewer; the last owner stays one. A repeat changes nothing more."""
    if role not in MembershipRole.values:
        raise Invalid("A member is an owner or a viewer.", field="role")
    with acting(actor):
        membership = _locked(account, membership_id)
        if role != MembershipRole.OWNER:
            _keep_an_owner(account, membership)
        membership.role = role
        membership.save(update_fields=["role"])
    return membership


def remove(account: Account, membership_id: int, *, actor: str) -> Membership:
    """End a membership; the last owner stays. The person keeps their sign-in and other accounts."""
    with acting(actor):
        membership = _locked(account, membership_id)
        _keep_an_owner(account, membership)
        Membership.objects.filter(pk=membership.pk).delete()
    return membership


def send_password_link(email: str, *, at: datetime, base_url: str) -> None:
    """Write a link to set a new password to whoever signs in as ``email``; do nothing for anybody else.

    At most one letter in ten minutes, however often somebody asks.
    """
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        return
    tenth_minute = int(at.timestamp()) // 600
    letter = password_link(f"{base_url}{_set_password_path(user)}")
    mailing.queue(kind="password", reference=f"{user.pk}.{tenth_minute}", recipient=user.email, **letter)


def _set_password_path(user: User) -> str:
    """The address at which ``user`` sets a password once; it ends with the next sign-in or a few days."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"/set-password/{uid}/{default_token_generator.make_token(user)}/"


def _locked(account: Account, membership_id: int) -> Membership:
    """Lock the account, so that two owners cannot remove each other at once, and find one member of it."""
    Account.objects.select_for_update().get(pk=account.pk)
    found = Membership.objects.select_related("user").filter(account=account, pk=membership_id).first()
    if found is None:
        raise NotFound("There is no such member of this account.")
    return found


def _keep_an_owner(account: Account, leaving: Membership) -> None:
    owners = Membership.objects.filter(account=account, role=MembershipRole.OWNER)
    if leaving.role == MembershipRole.OWNER and not owners.exclude(pk=leaving.pk).exists():
        raise Refused("An account keeps at least one owner. Make somebody else an owner first.")


def _checked_email(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(f"{email!r:.80} is not an e-mail address.", field="email") from None
    return email
