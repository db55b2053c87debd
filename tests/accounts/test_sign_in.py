"""One way in for everybody: throttled, silent about who exists, and on a session of its own."""

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import User
from core.audit import acting
from tests.accounts.conftest import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    return client.post("/sign-in/", {"username": email, "password": password} | more)


def test_staff_come_home_and_customers_to_the_portal(sam: User, alice: User) -> None:
    for user, home in ((sam, "/"), (alice, "/portal/")):
        client = Client()
        assert sign_in(client, user.email)["Location"] == "/"
        assert client.get("/", follow=True).request["PATH_INFO"] == home


def test_the_case_of_the_address_does_not_matter(sam: User) -> None:
    assert sign_in(Client(), "SAM@platform.example").status_code == 302


def test_a_wrong_password_and_an_unknown_address_read_the_same(sam: User, alice: User) -> None:
    with acting(ACTOR):
        User.objects.filter(pk=alice.pk).update(is_active=False)
    answers = [
        sign_in(Client(), sam.email, "wrong"),
        sign_in(Client(), "nobody@platform.example", "wrong"),
        sign_in(Client(), alice.email),  # right, but no longer let in
    ]
    said = [str(answer.context["form"].non_field_errors()) for answer in answers]
    assert len(set(said)) == 1 and "do not go together" in said[0]
    assert {answer.status_code for answer in answers} == {200}


def test_too_many_tries_are_stopped_even_with_the_right_password(sam: User) -> None:
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(client, sam.email, "wrong")
    assert answer.status_code == 429
    assert AccessAttempt.objects.get().failures_since_start == settings.AXES_FAILURE_LIMIT
    locked = sign_in(client, sam.email)
    assert locked.status_code == 429 and "_auth_user_id" not in client.session
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9"), sam.email).status_code == 302  # from elsewhere they get in


def test_the_session_is_a_new_one(sam: User) -> None:
    client = Client()
    client.get("/sign-in/")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    sign_in(client, sam.email)
    assert client.session.session_key != session.session_key


def test_the_cookie_is_kept_from_scripts_and_other_sites(sam: User) -> None:
    client = Client()
    sign_in(client, sam.email)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_way_on_never_leaves_the_house(sam: User, next_: str) -> None:
    assert sign_in(Client(), sam.email, next=next_)["Location"] == "/"


def test_the_way_on_is_where_one_was_going(sam: User) -> None:
    client = Client()
    asked = client.get("/accounts/?q=acme")
    assert asked["Location"] == "/sign-in/?next=/accounts/%3Fq%3Dacme"
    assert sign_in(client, sam.email, next="/accounts/?q=acme")["Location"] == "/accounts/?q=acme"


def test_signing_out_takes_a_post_and_ends_the_session(sam: User) -> None:
    client = Client()
    sign_in(client, sam.email)
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert client.get("/accounts/").status_code == 302


def test_a_password_kept_in_an_outdated_way_is_kept_anew(sam: User) -> None:
    with acting(ACTOR):
        User.objects.filter(pk=sam.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    assert sign_in(Client(), sam.email).status_code == 302
    sam.refresh_from_db()
    assert sam.password.startswith("md5$")  # the first of the hashers, which these tests make a quick one


def test_a_form_from_elsewhere_is_refused(sam: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client, sam.email)
    assert answer.status_code == 403 and "expired" in answer.content.decode()


def test_whoever_is_disabled_is_out_at_once(sam: User) -> None:
    client = Client()
    sign_in(client, sam.email)
    assert client.get("/accounts/").status_code == 200
    with acting(ACTOR):
        User.objects.filter(pk=sam.pk).update(is_active=False)
    assert client.get("/accounts/").status_code == 302


def test_a_role_that_is_taken_away_is_gone_at_once(sam: User) -> None:
    client = Client()
    sign_in(client, sam.email)
    with acting(ACTOR):
        User.objects.filter(pk=sam.pk).update(role="")
    assert client.get("/accounts/").status_code == 403
