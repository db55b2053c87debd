"""Passwords are changed by their owner only, and a change ends every other session."""

import pytest
from django.test import Client
from django.utils.http import urlsafe_base64_encode

from accounts.models import User
from core.models import AuditEntry, Mail
from tests.accounts.conftest import PASSWORD, SignedIn

pytestmark = pytest.mark.django_db
NEW = "another-horse-battery-7"


def change(client: Client, old: str = PASSWORD, new: str = NEW):  # type: ignore[no-untyped-def]
    return client.post("/password/", {"old_password": old, "new_password1": new, "new_password2": new})


def test_a_change_ends_every_other_session(sam: User, signed_in: SignedIn) -> None:
    here, elsewhere = signed_in(sam), signed_in(sam)
    assert change(here).status_code == 302
    assert here.get("/accounts/").status_code == 200 and elsewhere.get("/accounts/").status_code == 302
    entry = AuditEntry.objects.filter(table="accounts_user", operation="update").get()
    assert entry.actor == sam.actor and NEW not in str(entry.after)


def test_the_old_one_must_be_known(sam: User, signed_in: SignedIn) -> None:
    assert change(signed_in(sam), old="guess").status_code == 200
    sam.refresh_from_db()
    assert sam.check_password(PASSWORD)


def test_a_weak_one_is_refused_with_the_reason(sam: User, signed_in: SignedIn) -> None:
    assert "too common" in change(signed_in(sam), new="password123").content.decode()


def test_a_forgotten_one_is_replaced_by_a_letter(alice: User) -> None:
    client = Client()
    for email in (alice.email, "nobody@acme.example", alice.email):
        answer = client.post("/password/forgotten/", {"email": email}, follow=True)
        assert "link is on its way" in answer.content.decode()
    letter = Mail.objects.get()
    assert letter.recipient == alice.email and "/set-password/" in letter.text


def test_a_link_does_not_open_for_somebody_else(alice: User, sam: User) -> None:
    Client().post("/password/forgotten/", {"email": alice.email})
    link = Mail.objects.get().text.split("127.0.0.1:8000")[1].split()[0]
    uid = urlsafe_base64_encode(str(sam.pk).encode())
    token = link.strip("/").rpartition("/")[2]
    assert "no longer works" in Client().get(f"/set-password/{uid}/{token}/", follow=True).content.decode()
