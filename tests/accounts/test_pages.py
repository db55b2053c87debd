"""The pages of access: created, edited, invited, revoked, with every mistake said at its field."""

import pytest

from accounts.models import Account, ApiKey, Membership, User
from core.models import AuditEntry, Mail
from tests.accounts.conftest import SignedIn

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Initech",
    "kind": "team",
    "email": "",
    "address": "",
    "country": "",
    "region": "",
    "tax_id": "",
    "payment_terms_days": "14",
    "delivery": "pdf",
    "reason": "signed the order form",
}


def test_an_account_is_registered_with_its_reason(sam: User, signed_in: SignedIn) -> None:
    answer = signed_in(sam).post("/accounts/new/", FORM | {"code": "initech", "currency": "USD"}, follow=True)
    assert answer.request["PATH_INFO"] == "/accounts/initech/" and "is registered" in answer.content.decode()
    entry = AuditEntry.objects.get(table="accounts_account")
    assert (entry.actor, entry.reason) == (sam.actor, "signed the order form")


@pytest.mark.parametrize(
    ("field", "value"), [("code", "a b"), ("currency", "XXX"), ("country", "us"), ("payment_terms_days", "900")]
)
def test_a_mistake_is_said_at_its_field_and_saves_nothing(
    sam: User, signed_in: SignedIn, field: str, value: str
) -> None:
    given = FORM | {"code": "initech", "currency": "USD"} | {field: value}
    answer = signed_in(sam).post("/accounts/new/", given)
    assert answer.context["form"].errors.keys() == {field} and not Account.objects.exists()


def test_a_taken_code_is_said_on_the_form(sam: User, acme: Account, signed_in: SignedIn) -> None:
    answer = signed_in(sam).post("/accounts/new/", FORM | {"code": "acme", "currency": "USD"})
    assert "There is an account acme already" in answer.content.decode()


def test_details_change_and_stay_in_the_history(sam: User, acme: Account, signed_in: SignedIn) -> None:
    client = signed_in(sam)
    client.post("/accounts/acme/edit/", FORM | {"name": "Acme Ltd"})
    acme.refresh_from_db()
    assert (acme.name, acme.payment_terms_days, acme.currency) == ("Acme Ltd", 14, "USD")
    history = client.get("/accounts/acme/history/").content.decode()
    assert "name: Acme Robotics → Acme Ltd" in history and "signed the order form" in history


def test_closing_needs_a_reason_and_comes_back_with_a_sentence(sam: User, acme: Account, signed_in: SignedIn) -> None:
    client = signed_in(sam)
    page = "http://testserver/accounts/acme/edit/"
    refused = client.post("/accounts/acme/close/", {"reason": ""}, headers={"Referer": page}, follow=True)
    assert "Say why the account is closed" in refused.content.decode()
    client.post("/accounts/acme/close/", {"reason": "left us"})
    acme.refresh_from_db()
    assert acme.closed_at


def test_an_auditor_reads_and_changes_nothing(iris: User, acme: Account, signed_in: SignedIn) -> None:
    client = signed_in(iris)
    for part in ("", "members/", "keys/", "history/", "credits/", "usage/", "invoices/", "payments/", "cases/"):
        page = client.get(f"/accounts/acme/{part}")
        assert page.status_code == 200 and 'action="/accounts' not in page.content.decode().replace(
            'action="/accounts/" method="get"', ""
        )
    for path in ("new/", "acme/edit/", "acme/close/", "acme/members/invite/", "acme/keys/create/"):
        assert client.post(f"/accounts/{path}", FORM).status_code == 403


def test_a_key_is_shown_once(sam: User, acme: Account, signed_in: SignedIn) -> None:
    client = signed_in(sam)
    made = client.post("/accounts/acme/keys/create/", {"name": "ERP", "scopes": ["invoices:read"], "lifetime": "90"})
    key = ApiKey.objects.get()
    assert f"vk_{key.prefix}_" in made.content.decode() and key.expires_at is not None
    assert "no-store" in made["Cache-Control"]
    assert f"vk_{key.prefix}_" not in client.get("/accounts/acme/keys/").content.decode()
    client.post(f"/accounts/acme/keys/{key.prefix}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at


def test_a_member_is_invited_promoted_and_removed(sam: User, alice: User, acme: Account, signed_in: SignedIn) -> None:
    client = signed_in(sam)
    client.post("/accounts/acme/members/invite/", {"email": "new@acme.example", "role": "viewer"})
    found = Membership.objects.get(user__email="new@acme.example")
    assert Mail.objects.get().recipient == "new@acme.example"
    client.post(f"/accounts/acme/members/{found.pk}/role/", {"role": "owner"})
    found.refresh_from_db()
    assert found.role == "owner"
    client.post(f"/accounts/acme/members/{found.pk}/remove/")
    assert Membership.objects.filter(account=acme).count() == 1


def test_names_are_shown_as_they_are_and_never_run(sam: User, acme: Account, signed_in: SignedIn) -> None:
    client = signed_in(sam)
    client.post("/accounts/acme/edit/", FORM | {"name": "<script>alert(1)</script>"})
    for path in ("/accounts/", "/accounts/acme/", "/accounts/acme/history/", "/audit/"):
        assert "<script>alert" not in client.get(path).content.decode()
