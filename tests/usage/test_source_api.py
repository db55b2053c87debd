"""Sources by API: made and rotated with a secret that is shown once and stored nowhere; paused and resumed."""

from typing import Any

import pytest
from django.test import Client

from accounts import minting
from accounts.models import Account, User
from core.audit import acting
from core.models import AuditEntry, IdempotencyKey
from tests.usage import factories
from usage.models import Source

pytestmark = pytest.mark.django_db
SOURCES = "/api/v1/usage/sources"
ONCE = {"Idempotency-Key": "s"}
SCOPES = ["usage:read", "sources:write"]


def program(role: str, scopes: list[str] = SCOPES) -> Client:
    with acting("system:test"):
        user = User.objects.create_user(f"{role}@example.com", role=role)
    return Client(headers={"Authorization": f"Bearer {minting.for_staff(user, scopes, actor=user.actor).text}"})


@pytest.fixture
def operator(db: None) -> Client:
    return program("operator")


def post(client: Client, path: str = "", body: Any = None, **headers: str) -> Any:
    return client.post(f"{SOURCES}{path}", body or {}, content_type="application/json", headers=headers)


def beats(secret: str) -> int:
    """What the intake answers to that secret."""
    return Client().post("/api/v1/usage/heartbeats", headers={"Authorization": f"Bearer {secret}"}).status_code


class TestMake:
    def test_shows_the_secret_once_and_keeps_it_nowhere(self, operator: Client) -> None:
        body = {"name": "dynos", "title": "Formations", "cadence_seconds": 600, "past_days": 40}
        first = post(operator, "", body, **ONCE)
        secret = first.json()["secret"]
        assert first.status_code == 201 and beats(secret) < 300
        again = post(operator, "", body, **ONCE)
        assert again.status_code == 201 and again.headers["Idempotency-Replayed"] == "true"
        assert again.json() == {name: value for name, value in first.json().items() if name != "secret"}
        assert secret not in str(IdempotencyKey.objects.values_list("body")) + str(AuditEntry.objects.values())
        made = Source.objects.get()
        assert (made.cadence_seconds, made.lateness_seconds, made.past_days) == (600, 3600, 40)
        one = operator.get(f"{SOURCES}/dynos").json()
        assert (one["name"], one["title"], "secret" in one) == ("dynos", "Formations", False)

    def test_a_name_is_taken_once(self, operator: Client) -> None:
        factories.source("dynos")
        answer = post(operator, "", {"name": "dynos"})
        assert (answer.status_code, answer.json()["code"]) == (409, "source_exists")

    @pytest.mark.parametrize(
        ("body", "field"),
        [({}, "name"), ({"name": "a b"}, "name"), ({"name": "new"}, "name"),
         ({"name": "x", "past_days": 0}, "past_days"),
         ({"name": "x", "cadence_seconds": -1}, "cadence_seconds"), ({"name": "x", "secret": "y"}, "secret")],
    )  # fmt: skip
    def test_says_which_field_is_wrong(self, operator: Client, body: Any, field: str) -> None:
        answer = post(operator, "", body)
        said = answer.json()
        assert answer.status_code == 400 and not Source.objects.exists()
        assert field in {said.get("field"), *(error["field"] for error in said.get("errors", []))}


class TestRotate:
    def test_the_old_secret_ends_when_it_is_told_to(self, operator: Client) -> None:
        old = post(operator, "", {"name": "dynos"}).json()["secret"]
        new = post(operator, "/dynos/rotate").json()["secret"]
        assert beats(old) < 300 and beats(new) < 300
        newest = post(operator, "/dynos/rotate", {"overlap_seconds": 0}).json()["secret"]
        assert beats(old) == beats(new) == 401 and beats(newest) < 300

    def test_happens_once_per_key(self, operator: Client) -> None:
        factories.source("dynos")
        answers = [post(operator, "/dynos/rotate", **ONCE).json() for _ in range(2)]
        assert answers[0].pop("secret") and answers[0] == answers[1]
        assert Source.objects.get().credentials.count() == 2

    @pytest.mark.parametrize("overlap", [-1, 604_801, "long"])
    def test_an_overlap_is_a_week_at_most(self, operator: Client, overlap: Any) -> None:
        factories.source("dynos")
        answer = post(operator, "/dynos/rotate", {"overlap_seconds": overlap})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "overlap_seconds")


def test_is_paused_with_a_reason_and_resumed(operator: Client) -> None:
    factories.source("dynos")
    assert post(operator, "/dynos/pause").json()["errors"][0]["field"] == "reason"
    answers = [post(operator, "/dynos/pause", {"reason": "It repeats itself"}, **ONCE).json() for _ in range(2)]
    assert answers[0] == answers[1] and answers[0]["state"] == Source.objects.get().state == "paused"
    assert post(operator, "/dynos/resume").json()["state"] != "paused"
    assert Source.objects.get().state == "active"


def test_what_is_not_there_is_a_404(operator: Client) -> None:
    assert operator.get(f"{SOURCES}/nobody").status_code == 404
    for action in ("rotate", "pause", "resume"):
        assert post(operator, f"/nobody/{action}", {"reason": "x"} if action == "pause" else {}).status_code == 404


def test_takes_the_scope_and_a_role_that_may(db: None) -> None:
    factories.source("dynos")
    with acting("system:test"):
        acme = Account.objects.create(code="acme", name="Acme")
    own = Client(
        headers={"Authorization": f"Bearer {minting.for_account(acme, ['usage:read'], actor='system:test').text}"}
    )
    for client in (program("finance"), program("auditor"), program("operator", ["usage:read"]), own):
        for path in ("", "/dynos/rotate", "/dynos/pause", "/dynos/resume"):
            answer = post(client, path, {"name": "x", "reason": "x"})
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), path
    assert own.get(f"{SOURCES}/dynos").status_code == 403
    assert Source.objects.get().credentials.count() == 1
