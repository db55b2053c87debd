"""The commands that let people and programs in print a secret once, on a line of its own."""

import io
import json

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Account, User
from core.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.django_db


def run(*arguments: str, **options: object) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_a_key_is_the_only_line(acme: Account) -> None:
    text = run("create_api_key", "acme", scopes="accounts:read, invoices:read", expires=30)
    assert text.count("\n") == 1
    answer = Client().get("/api/v1/accounts/acme", headers={"Authorization": f"Bearer {text.strip()}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("arguments", "scopes", "error"),
    [
        (("nobody",), "accounts:read", NotFound),
        (("acme",), "fly", Invalid),
        (("acme",), "", Invalid),
        ((), "accounts:read", Invalid),
        (("acme", "--user", "sam@platform.example"), "accounts:read", Invalid),
        (("--user", "nobody@platform.example"), "accounts:read", NotFound),
    ],
)
def test_a_wrong_request_says_what_is_right(
    acme: Account, arguments: tuple[str, ...], scopes: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run("create_api_key", *arguments, scopes=scopes)


def test_a_users_password_is_the_last_line_and_opens_the_door() -> None:
    password = run("create_user", "fay@platform.example", role="finance").splitlines()[-1]
    assert User.objects.get(email="fay@platform.example").check_password(password)


def test_a_customer_comes_with_their_account(acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a-fine-long-password\n"))
    told = json.loads(run("create_user", "bo@acme.example", account="acme", password_stdin=True, json=True))
    assert told == {"email": "bo@acme.example", "role": "", "account": "acme"}
    assert list(Account.objects.visible_to(User.objects.get(email="bo@acme.example"))) == [acme]


def test_nothing_is_half_made(acme: Account) -> None:
    with pytest.raises(NotFound):
        run("create_user", "bo@acme.example", account="nobody")
    assert not User.objects.exists()
    run("create_user", "bo@acme.example")
    with pytest.raises(Conflict):
        run("create_user", "BO@acme.example")
