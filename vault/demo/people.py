"""The demo's people: staff with one role each, and two customers of one account."""

import secrets
from pathlib import Path
from typing import Final

from django.conf import settings

from accounts import enrolling
from accounts.models import Account, Membership, MembershipRole, User
from core import audit
from vault.demo import cast

ACTOR: Final = "system:demo"
_WORDS: Final = ("amber", "birch", "cobalt", "delta", "ember", "fjord", "grove", "harbor", "indigo", "juniper")


def password(file: Path | None = None) -> str:
    """Return the password all demo people share: made once for this installation and kept in VAULT_HOME."""
    file = file or Path(settings.HOME) / "demo-password"
    if not file.exists():
        words = "-".join(secrets.choice(_WORDS) for _ in range(3))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"{words}-{secrets.randbelow(9000) + 1000}")
    return file.read_text().strip()


def enroll(account: Account) -> None:
    """Enroll whoever is missing; ``account`` gets an owner and a viewer. A repeat changes nothing."""
    for member in (*cast.STAFF, cast.OWNER, cast.VIEWER):
        if not User.objects.filter(email=member.email).exists():
            enrolling.create(member.email, role=member.role, password=password(), actor=ACTOR, name=member.name)
    with audit.acting(ACTOR):
        for member, role in ((cast.OWNER, MembershipRole.OWNER), (cast.VIEWER, MembershipRole.VIEWER)):
            user = enrolling.find(member.email)
            Membership.objects.get_or_create(account=account, user=user, defaults={"role": role})


def sign_ins() -> list[tuple[str, str]]:
    """List who can log in, as (e-mail, what they are)."""
    staff = [(member.email, member.role) for member in cast.STAFF]
    return [*staff, (cast.OWNER.email, "customer, owner"), (cast.VIEWER.email, "customer, viewer")]
