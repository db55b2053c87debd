"""Credits by API: given within the role's limit, once per key, and seen by whom they concern."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account
from billing import crediting
from billing.models import CreditGrant
from tests.billing.api.conftest import KeyOf, call
from tests.factories import ADA, OCTOBER, SAM, account, build, ran, staff, use

pytestmark = pytest.mark.django_db
BODY = {"account": "acme", "amount": "25.00", "reason": "Outage of 12 October"}


@pytest.fixture
def acme() -> Account:
    staff()
    return account("acme")


class TestGive:
    def test_gives_within_the_limit_of_the_keys_person(self, key_of: KeyOf, acme: Account) -> None:
        answer = call("post", "/credits", key_of("sam"), BODY | {"scope": ["dyno"], "expires_on": "2027-03-01"})
        said = answer.json()
        assert answer.status_code == 201 and said["state"] == "active" and said["requested_by"].startswith("key:")
        assert (said["amount"], said["balance"], said["scope"], said["expires_on"]) == (
            "25.00", "25.00", ["dyno"], "2027-03-01"
        )  # fmt: skip

    def test_asks_above_it(self, key_of: KeyOf, acme: Account) -> None:
        answer = call("post", "/credits", key_of("sam"), BODY | {"amount": "100.01"})
        assert answer.status_code == 201 and answer.json()["state"] == "requested"

    def test_happens_once_per_key(self, key_of: KeyOf, acme: Account) -> None:
        key = key_of("sam")
        first = call("post", "/credits", key, BODY, **{"Idempotency-Key": "c1"})
        again = call("post", "/credits", key, BODY, **{"Idempotency-Key": "c1"})
        assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
        assert again.headers["Idempotency-Replayed"] == "true" and CreditGrant.objects.count() == 1
        other = call("post", "/credits", key, BODY | {"amount": "26"}, **{"Idempotency-Key": "c1"})
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")

    def test_keeps_a_number_exact(self, key_of: KeyOf, acme: Account) -> None:
        raw = '{"account": "acme", "amount": 0.1, "reason": "x"}'
        assert call("post", "/credits", key_of("sam"), raw).json()["amount"] == "0.10"

    @pytest.mark.parametrize(
        ("changed", "status", "field"),
        [
            ({"amount": "-5"}, 400, "amount"),
            ({"amount": "1.005"}, 400, "amount"),
            ({"amount": "many"}, 400, "amount"),
            ({"amount": "1e30"}, 400, "amount"),
            ({"reason": ""}, 400, "reason"),
            ({"scope": ["everything"]}, 400, "scope[0]"),
            ({"expires_on": "soon"}, 400, "expires_on"),
            ({"state": "active"}, 400, "state"),
            ({"account": "nobody"}, 404, None),
        ],
    )
    def test_says_what_is_wrong(
        self, key_of: KeyOf, acme: Account, changed: Any, status: int, field: str | None
    ) -> None:
        answer = call("post", "/credits", key_of("sam"), BODY | changed)
        said = answer.json()
        fields = {said.get("field"), *(error["field"] for error in said.get("errors", []))}
        assert answer.status_code == status and not CreditGrant.objects.exists(), said
        assert field is None or any(name and name.startswith(field.partition("[")[0]) for name in fields), said

    @pytest.mark.parametrize("body", ["", "[]", "5", "{", '{"amount": 1, "amount": 2}', "NaN"])
    def test_a_body_that_is_no_request_is_a_problem(self, key_of: KeyOf, acme: Account, body: str) -> None:
        answer = call("post", "/credits", key_of("sam"), body)
        assert answer.status_code == 400 and answer.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("name", ["omar", "iris", "cleo"])
    def test_takes_a_role_that_may(self, key_of: KeyOf, acme: Account, name: str) -> None:
        assert call("post", "/credits", key_of(name), BODY).status_code == 403

    def test_takes_the_scope(self, key_of: KeyOf, acme: Account) -> None:
        assert call("post", "/credits", key_of("sam", ["credits:read"]), BODY).status_code == 403
        assert call("post", "/credits", key_of(acme), BODY).status_code == 403


class TestDecide:
    @pytest.fixture
    def asked(self, acme: Account) -> CreditGrant:
        return crediting.request(acme.pk, Decimal(900), reason="Promise", actor=SAM)

    @pytest.mark.parametrize(
        ("action", "body", "state"), [("approve", {}, "active"), ("refuse", {"reason": "No"}, "refused")]
    )
    def test_a_second_person_decides_once(
        self, key_of: KeyOf, asked: CreditGrant, action: str, body: Any, state: str
    ) -> None:
        key, path = key_of("ada"), f"/credits/{asked.pk}/{action}"
        answers = [call("post", path, key, body, **{"Idempotency-Key": "d"}) for _ in range(2)]
        assert [a.status_code for a in answers] == [200, 200] and answers[0].json() == answers[1].json()
        assert answers[0].json()["state"] == state and answers[0].json()["decided_by"].startswith("key:")
        other = call("post", f"/credits/{asked.pk}/refuse", key_of("grace"), {"reason": "No"})
        assert other.status_code == 409

    def test_whoever_asked_does_not(self, key_of: KeyOf, acme: Account) -> None:
        asked = crediting.request(acme.pk, Decimal(5000), reason="Promise", actor=ADA)
        answer = call("post", f"/credits/{asked.pk}/approve", key_of("ada"), {})
        assert (answer.status_code, answer.json()["code"]) == (403, "refused")

    def test_a_refusal_takes_a_reason_and_nothing_else_is_said(self, key_of: KeyOf, asked: CreditGrant) -> None:
        key = key_of("ada")
        assert call("post", f"/credits/{asked.pk}/refuse", key, {}).json()["errors"][0]["field"] == "reason"
        assert call("post", f"/credits/{asked.pk}/approve", key, {"amount": 5}).json()["errors"][0]["field"] == "amount"
        assert call("post", "/credits/4711/approve", key, "").status_code == 404

    def test_takes_the_scope_and_a_role_that_may(self, key_of: KeyOf, asked: CreditGrant, acme: Account) -> None:
        for key in (key_of("sam"), key_of("omar"), key_of("iris"), key_of(acme), key_of("ada", ["credits:read"])):
            for action in ("approve", "refuse"):
                answer = call("post", f"/credits/{asked.pk}/{action}", key, {"reason": "No"})
                assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


class TestRead:
    def test_an_accounts_key_sees_its_own_active_ones_and_no_people(self, key_of: KeyOf, acme: Account) -> None:
        globex = account("globex")
        mine = crediting.request(acme.pk, Decimal(20), reason="Goodwill", actor=SAM)
        asked = crediting.request(acme.pk, Decimal(900), reason="Promise", actor=SAM)
        theirs = crediting.request(globex.pk, Decimal(30), reason="Goodwill", actor=SAM)
        key = key_of(acme)
        said = call("get", "/credits", key).json()["results"]
        assert [row["id"] for row in said] == [mine.pk]
        assert "requested_by" not in said[0] and "sam" not in str(said)
        assert call("get", f"/credits/{mine.pk}", key).json()["amount"] == "20.00"
        for hidden in (asked, theirs):
            assert call("get", f"/credits/{hidden.pk}", key).status_code == 404
        assert call("get", "/credits?account=globex", key).json()["results"] == []

    def test_a_staff_key_sees_all_and_narrows(self, key_of: KeyOf, acme: Account) -> None:
        globex = account("globex")
        crediting.request(acme.pk, Decimal(20), reason="Goodwill", actor=SAM)
        crediting.request(globex.pk, Decimal(900), reason="Promise", actor=SAM)
        key = key_of("iris")
        assert len(call("get", "/credits", key).json()["results"]) == 2
        assert [r["reason"] for r in call("get", "/credits?account=acme", key).json()["results"]] == ["Goodwill"]
        said = call("get", "/credits?state=requested", key).json()["results"]
        assert [(r["reason"], r["requested_by"]) for r in said] == [("Promise", SAM)]
        assert call("get", "/credits?state=nonsense", key).json()["field"] == "state"

    def test_one_says_which_invoices_took_of_it(self, key_of: KeyOf, acme: Account) -> None:
        use(ran("web.1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        grant = crediting.request(acme.pk, Decimal(40), reason="Goodwill", actor=ADA)
        build()
        said = call("get", f"/credits/{grant.pk}", key_of("ada")).json()
        assert said["balance"] == "15.00"
        assert said["applications"] == [{"invoice": None, "month": "2026-10", "status": "draft", "amount": "25.00"}]

    def test_pages_by_cursor(self, key_of: KeyOf, acme: Account) -> None:
        for _ in range(3):
            crediting.request(acme.pk, Decimal(1), reason="Goodwill", actor=ADA)
        first = call("get", "/credits?limit=2", key_of("ada")).json()
        assert len(first["results"]) == 2 and first["next"] and not first["previous"]
