"""What verify asks about access, each with a change made behind the trail's back that it must find."""

from pathlib import Path

import pytest
from django.db import connection

from accounts import minting
from accounts.models import Account, User
from tests.accounts.conftest import ACTOR, SignedIn

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).resolve().parents[2] / "accounts" / "invariants"


def findings(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute((FOLDER / f"{name}.sql").read_text())
        return len(cursor.fetchall())


def behind_the_trail(statement: str, table: str = "accounts_user") -> None:
    """Change the table as its owner could, with the trigger switched off."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute(f"alter table {table} disable trigger {table}_audited")
        cursor.execute(statement)
        cursor.execute(f"alter table {table} enable trigger {table}_audited")


def test_both_hold_after_ordinary_work(alice: User, sam: User, signed_in: SignedIn) -> None:
    signed_in(sam).post("/password/", {})
    assert (findings("access_is_signed"), findings("roles_are_as_the_trail_says")) == (0, 0)


def test_somebody_let_in_behind_the_trail_is_found(sam: User) -> None:
    behind_the_trail(
        "insert into accounts_user (email, name, role, password, is_staff, is_superuser, is_active, created_at)"
        " values ('eve@example.com', '', 'finance', '', false, false, true, now())"
    )
    assert findings("access_is_signed") == 1


@pytest.mark.parametrize("change", ["role = 'finance'", "is_superuser = true", "is_active = false"])
def test_a_right_taken_behind_the_trail_is_found(sam: User, change: str) -> None:
    behind_the_trail(f"update accounts_user set {change}")
    assert findings("roles_are_as_the_trail_says") == 1


@pytest.mark.parametrize("change", ["revoked_at = null", "scopes = '{usage:read,invoices:read}'"])
def test_a_key_revived_or_widened_behind_the_trail_is_found(acme: Account, change: str) -> None:
    key = minting.for_account(acme, ["usage:read"], actor=ACTOR)
    minting.revoke(key.prefix, actor=ACTOR, reason="lost")
    assert findings("roles_are_as_the_trail_says") == 0
    behind_the_trail(f"update accounts_apikey set {change}", "accounts_apikey")
    assert findings("roles_are_as_the_trail_says") == 1
