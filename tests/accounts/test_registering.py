"""Accounts come in by one door, and the trail says who opened it."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import registering
from accounts.models import Account
from core.errors import Conflict, Invalid, NotFound
from core.models import AuditEntry
from tests.accounts.conftest import ACTOR

pytestmark = pytest.mark.django_db


class TestRegister:
    def test_keeps_what_was_given_and_signs_it(self) -> None:
        given = {"code": "initech", "name": "Initech", "country": "DE", "payment_terms_days": 30}
        account = registering.register(given, actor="user:ada@example.com", reason="order 7")
        account.refresh_from_db()
        assert (account.country, account.payment_terms_days, account.currency) == ("DE", 30, "USD")
        entry = AuditEntry.objects.get(account_id=account.pk)
        assert (entry.actor, entry.reason, entry.operation) == ("user:ada@example.com", "order 7", "insert")

    @pytest.mark.parametrize("code", ["", "a b", "a/b", "new", "..", "x" * 201, "a?b", "a\n", "50%"])
    def test_refuses_a_code_that_no_address_could_name(self, code: str) -> None:
        with pytest.raises(Invalid) as caught:
            registering.register({"code": code, "name": "X"}, actor=ACTOR)
        assert caught.value.field == "code"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("currency", "XYZ"),
            ("country", "usa"),
            ("kind", "club"),
            ("email", "nobody"),
            ("payment_terms_days", 366),
            ("name", "x" * 201),
            ("delivery", "pigeon"),
            ("id", 7),
        ],
    )
    def test_names_the_field_that_is_wrong(self, field: str, value: object) -> None:
        with pytest.raises(Invalid) as caught:
            registering.register({"code": "a", "name": "A", field: value}, actor=ACTOR)
        assert caught.value.field == field

    def test_a_code_belongs_to_one_account(self, acme: Account) -> None:
        with pytest.raises(Conflict, match="acme"):
            registering.register({"code": "acme", "name": "Other"}, actor=ACTOR)

    def test_any_script_is_a_name(self) -> None:
        name = "株式会社 Ёлка \u202eabc \U0001f469\u200d\U0001f467"
        registering.register({"code": "unicode", "name": name}, actor=ACTOR)
        assert Account.objects.get(code="unicode").name == name


class TestChange:
    def test_records_what_differs(self, acme: Account) -> None:
        registering.change("acme", {"name": "Acme Ltd", "tax_exempt": True}, actor="user:ada@example.com")
        entry = AuditEntry.objects.filter(account_id=acme.pk).latest("pk")
        assert entry.before == {"name": "Acme Robotics", "tax_exempt": False}
        assert entry.after == {"name": "Acme Ltd", "tax_exempt": True}

    @pytest.mark.parametrize("field", ["code", "currency"])
    def test_what_is_settled_at_birth_stays(self, acme: Account, field: str) -> None:
        with pytest.raises(Invalid, match="never changes"):
            registering.change("acme", {field: "EUR"}, actor=ACTOR)

    def test_an_unknown_account_is_not_found(self) -> None:
        with pytest.raises(NotFound, match="nobody"):
            registering.change("nobody", {"name": "X"}, actor=ACTOR)


class TestClose:
    def test_ends_once_and_says_why(self, acme: Account) -> None:
        first = registering.close("acme", actor=ACTOR, reason="left").closed_at
        assert first and registering.close("acme", actor=ACTOR, reason="left").closed_at == first
        assert registering.reopen("acme", actor=ACTOR, reason="came back").closed_at is None

    def test_needs_a_reason(self, acme: Account) -> None:
        with pytest.raises(Invalid, match="why"):
            registering.close("acme", actor=ACTOR, reason=" ")


@pytest.mark.parametrize(
    "statement",
    [
        "update accounts_account set name = 'x'",
        "insert into accounts_membership (account_id, user_id, role) select a.id, u.id, 'owner'"
        " from accounts_account a, accounts_user u limit 1",
        "update accounts_user set role = 'finance'",
        "update accounts_user set is_superuser = true",
        "delete from accounts_account",
    ],
)
def test_the_database_refuses_what_nobody_signs(acme: Account, sam: object, statement: str) -> None:
    with pytest.raises(DatabaseError, match="actor"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
