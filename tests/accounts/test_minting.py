"""Keys are shown once, know one account or one person, and end at once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.test import Client

from accounts import minting
from accounts.models import Account, ApiKey, User
from core import clock
from core.audit import acting
from core.errors import Invalid, NotFound
from core.models import AuditEntry
from tests.accounts.conftest import ACTOR

pytestmark = pytest.mark.django_db
MINE = "/api/v1/accounts/acme"


def ask(text: str, path: str = MINE) -> int:
    return Client().get(path, headers={"Authorization": f"Bearer {text}"}).status_code


def mint(account: Account, *scopes: str, **terms: object) -> str:
    return minting.for_account(account, scopes or ("accounts:read",), actor=ACTOR, **terms).text  # type: ignore[arg-type]


def test_only_the_hash_is_kept(acme: Account) -> None:
    text = mint(acme)
    key = ApiKey.objects.get()
    assert text not in str(vars(key)) and text[-20:] not in str(list(AuditEntry.objects.values()))


def test_an_accounts_key_sees_its_account_and_no_other(acme: Account, globex: Account) -> None:
    text = mint(acme)
    assert ask(text) == 200
    assert ask(text, "/api/v1/accounts/globex") == 404
    listed = Client().get("/api/v1/accounts", headers={"Authorization": f"Bearer {text}"}).json()
    assert [row["code"] for row in listed["results"]] == ["acme"]


def test_a_key_without_the_scope_is_refused(acme: Account) -> None:
    assert ask(mint(acme, "invoices:read")) == 403


@pytest.mark.parametrize("scope", ["usage:write", "accounts:write", "credits:write", "runs:read", "everything"])
def test_an_accounts_key_never_gets_what_takes_a_person(acme: Account, scope: str) -> None:
    with pytest.raises(Invalid):
        mint(acme, scope)


def test_the_database_refuses_to_smuggle_a_scope_in(acme: Account) -> None:
    mint(acme)
    with pytest.raises(IntegrityError, match="an_accounts_key_has_an_accounts_scopes"), acting(ACTOR):
        ApiKey.objects.update(scopes=["accounts:read", "accounts:write"])


def test_a_revoked_and_an_expired_key_are_unknown(acme: Account) -> None:
    text = mint(acme, expires_at=clock.now() + timedelta(days=1))
    with acting(ACTOR):
        ApiKey.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert ask(text) == 401
    other = mint(acme)
    minting.revoke(ApiKey.objects.get(expires_at=None).prefix, actor=ACTOR)
    assert ask(other) == 401


def test_a_wrong_secret_with_a_right_prefix_is_unknown(acme: Account) -> None:
    text = mint(acme)
    assert ask(text[:-1] + ("A" if text[-1] != "A" else "B")) == 401


def test_another_accounts_key_is_not_found(acme: Account, globex: Account) -> None:
    mint(acme)
    with pytest.raises(NotFound):
        minting.revoke(ApiKey.objects.get().prefix, account=globex, actor=ACTOR)
    assert ApiKey.objects.get().revoked_at is None


def test_a_staff_key_has_its_persons_role_and_ends_with_it(acme: Account, sam: User) -> None:
    text = minting.for_staff(sam, ["accounts:read"], actor=ACTOR).text
    assert ask(text) == 200
    with acting(ACTOR):
        User.objects.filter(pk=sam.pk).update(is_active=False)
    assert ask(text) == 401


def test_a_customer_gets_no_staff_key(alice: User) -> None:
    with pytest.raises(Invalid, match="does not work here"):
        minting.for_staff(alice, ["accounts:read"], actor=ACTOR)


def test_using_a_key_is_nobodys_change(acme: Account) -> None:
    text = mint(acme)
    before = AuditEntry.objects.count()
    assert ask(text) == 200
    assert AuditEntry.objects.count() == before and ApiKey.objects.get().last_used_at is not None
