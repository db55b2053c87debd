"""People come in by invitation, and an account never loses its last owner."""

import re

import pytest
from django.test import Client

from accounts import enrolling
from accounts.models import Account, Membership, User
from core.errors import Conflict, Invalid, NotFound, Refused
from core.models import AuditEntry, Mail
from tests.accounts.conftest import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db
BASE = "https://vault.example"


def invite(account: Account, email: str = "new@acme.example", role: str = "viewer") -> Membership:
    return enrolling.invite(account, email, role, actor="user:alice@acme.example", base_url=BASE)


def link_in(mail: Mail) -> str:
    found = re.search(rf"{BASE}(/\S+)", mail.text)
    assert found
    return found[1]


class TestCreate:
    def test_keeps_no_password_in_the_trail(self) -> None:
        enrolling.create("Ada@Example.com", role="finance", password=PASSWORD, actor=ACTOR)
        entry = AuditEntry.objects.get(table="accounts_user")
        assert entry.after["password"] == "***" and entry.after["email"] == "ada@example.com"
        assert PASSWORD not in str(entry.after)

    def test_refuses_a_second_person_of_one_address_whatever_its_case(self) -> None:
        enrolling.create("ada@example.com", role="", password=PASSWORD, actor=ACTOR)
        with pytest.raises(Conflict):
            enrolling.create("ADA@example.com", role="", password=PASSWORD, actor=ACTOR)

    @pytest.mark.parametrize(
        ("email", "role", "password", "field"),
        [
            ("nobody", "", PASSWORD, "email"),
            ("a@b.example", "king", PASSWORD, "role"),
            ("a@b.example", "", "password123", "password"),
            ("a@b.example", "", "short", "password"),
        ],
    )
    def test_says_what_will_not_do(self, email: str, role: str, password: str, field: str) -> None:
        with pytest.raises(Invalid) as caught:
            enrolling.create(email, role=role, password=password, actor=ACTOR)
        assert caught.value.field == field


class TestInvite:
    def test_a_new_person_sets_a_password_once_by_the_link_and_signs_in(self, acme: Account) -> None:
        invite(acme)
        link = link_in(Mail.objects.get(kind="invitation"))
        client = Client()
        form = client.get(link, follow=True)
        address = form.redirect_chain[-1][0]
        answer = client.post(address, {"new_password1": PASSWORD, "new_password2": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
        assert User.objects.get(email="new@acme.example").check_password(PASSWORD)
        again = Client().get(link, follow=True)
        assert "no longer works" in again.content.decode()

    def test_somebody_known_is_told_to_sign_in(self, acme: Account, gina: User) -> None:
        invite(acme, gina.email)
        assert link_in(Mail.objects.get(kind="invitation")) == "/sign-in/"
        assert Account.objects.visible_to(gina).count() == 2

    def test_a_member_is_not_invited_twice(self, acme: Account, alice: User) -> None:
        with pytest.raises(Conflict, match="member already"):
            invite(acme, alice.email)
        assert not Mail.objects.exists()


class TestMembers:
    def test_the_last_owner_stays(self, acme: Account, alice: User, victor: User) -> None:
        mine = Membership.objects.get(user=alice)
        with pytest.raises(Refused, match="at least one owner"):
            enrolling.remove(acme, mine.pk, actor=ACTOR)
        with pytest.raises(Refused, match="at least one owner"):
            enrolling.change_role(acme, mine.pk, "viewer", actor=ACTOR)
        enrolling.change_role(acme, Membership.objects.get(user=victor).pk, "owner", actor=ACTOR)
        enrolling.remove(acme, mine.pk, actor=ACTOR)
        assert not Account.objects.visible_to(alice).exists()

    def test_another_accounts_member_is_not_found(self, acme: Account, gina: User) -> None:
        with pytest.raises(NotFound):
            enrolling.remove(acme, Membership.objects.get(user=gina).pk, actor=ACTOR)
