"""What agents do, by API: payments are recorded once, pauses have an end, and nobody else may do either."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from billing.models import Invoice
from collections_ import collecting
from collections_.models import Case, Payment
from tests.collections_ import factories
from tests.collections_.factories import TODAY, YESTERDAY
from tests.collections_.test_api import key

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = ["payments:read", "payments:write", "collections:read", "collections:write"]
PAID = {
    "account": "acme", "amount": "100.00", "currency": "USD", "method": "bank_transfer", "reference": "B-77",
    "received_on": str(TODAY),
}  # fmt: skip
SOON = str(TODAY + timedelta(days=7))
PROMISE = {"amount": "75.85", "due_on": SOON}
HOLD = {"reason": "They moved banks", "until": SOON}
ONCE = {"Idempotency-Key": "w"}


@pytest.fixture
def owed(transactional_db: None) -> Invoice:
    """75.85 that is past due since today."""
    made = factories.invoice(factories.account("acme"), due_on=YESTERDAY)
    collecting.run(TODAY)
    return made


@pytest.fixture
def case(owed: Invoice) -> Case:
    return Case.objects.get()


@pytest.fixture
def agent(transactional_db: None) -> dict[str, str]:
    """The headers of a collections agent's key."""
    headers: dict[str, str] = key(SCOPES, role="collections")["headers"]
    return headers


def post(path: str, body: Any, headers: dict[str, str], **more: str) -> Any:
    return Client().post(f"/api/v1{path}", body, content_type="application/json", headers=headers | more)


def wrong(answer: Any) -> set[str]:
    """The fields that a problem names."""
    said = answer.json()
    return {said.get("field", ""), *(error["field"] for error in said.get("errors", []))}


class TestPayments:
    def test_a_preview_writes_nothing_and_is_no_recording(self, owed: Invoice, agent: dict[str, str]) -> None:
        preview = post("/payments?preview=true", PAID, agent)
        assert preview.status_code == 200 and not Payment.objects.exists()
        assert preview.json() == {
            "allocations": [{"invoice": owed.number, "amount": "75.8500"}], "unapplied": "24.1500"
        }  # fmt: skip
        post("/payments?preview=true", PAID, agent, **ONCE)
        assert post("/payments", PAID, agent, **ONCE).json()["code"] == "idempotency_key_reused"
        assert not Payment.objects.exists()

    def test_a_payment_is_recorded_once(self, owed: Invoice, agent: dict[str, str]) -> None:
        answers = [post("/payments", PAID, agent, **ONCE) for _ in range(2)]
        assert [a.status_code for a in answers] == [201, 201] and answers[0].json() == answers[1].json()
        said = answers[0].json()
        assert (said["applied"], said["allocations"]) == ("75.8500", [{"invoice": owed.number, "amount": "75.8500"}])
        assert Payment.objects.get().recorded_by.startswith("key:")
        owed.refresh_from_db()
        assert owed.status == "paid"
        again = post("/payments", PAID, agent)
        assert (again.status_code, again.json()["code"]) == (409, "duplicate_payment")

    def test_settles_first_what_it_is_for_and_later_what_is_left(self, owed: Invoice, agent: dict[str, str]) -> None:
        newer = factories.invoice(owed.account, "10.00", due_on=TODAY, month=9)
        said = post("/payments", PAID | {"amount": "20.00", "first": newer.number}, agent).json()
        assert [share["invoice"] for share in said["allocations"]] == [newer.number, owed.number]
        rest = post("/payments", PAID | {"amount": "100.00", "reference": "B-78"}, agent).json()
        later = factories.invoice(owed.account, "5.00", due_on=TODAY, month=8)
        used = post(f"/payments/{rest['id']}/apply", {}, agent).json()
        assert used["allocations"][-1] == {"invoice": later.number, "amount": "5.0000"}
        assert post(f"/payments/{rest['id']}/apply", {}, agent).status_code == 409

    @pytest.mark.parametrize(
        ("changed", "field"),
        [({"amount": "0"}, "amount"), ({"amount": "1.001"}, "amount"), ({"currency": "JPY"}, "currency"),
         ({"method": "card"}, "method"), ({"reference": "4242 4242 4242 4242"}, "reference"),
         ({"reference": ""}, "reference"), ({"received_on": "today"}, "received_on"), ({"first": "X-1"}, "first"),
         ({"applied": "1"}, "applied")],
    )  # fmt: skip
    def test_says_which_field_is_wrong(
        self, owed: Invoice, agent: dict[str, str], changed: dict[str, str], field: str
    ) -> None:
        answer = post("/payments", PAID | changed, agent)
        assert answer.status_code == 400 and field in wrong(answer) and not Payment.objects.exists(), answer.json()

    def test_a_preview_is_true_or_false(self, owed: Invoice, agent: dict[str, str]) -> None:
        assert post("/payments?preview=maybe", PAID, agent).json()["field"] == "preview"


class TestPauses:
    def test_a_promise_is_recorded_once(self, case: Case, agent: dict[str, str]) -> None:
        path = f"/cases/{case.pk}/promises"
        answers = [post(path, PROMISE, agent, **ONCE) for _ in range(2)]
        assert [a.status_code for a in answers] == [201, 201] and answers[0].json() == answers[1].json()
        assert (answers[0].json()["due_on"], answers[0].json()["state"]) == (SOON, "open")
        assert post(path, PROMISE, agent).status_code == 409
        assert Client().get(f"/api/v1{path}", headers=agent).json()["results"] == [answers[0].json()]

    def test_a_hold_is_placed_once_and_lifted(self, case: Case, agent: dict[str, str]) -> None:
        path = f"/cases/{case.pk}/holds"
        answers = [post(path, HOLD, agent, **ONCE).json() for _ in range(2)]
        assert answers[0] == answers[1] and case.holds.count() == 1
        lifted = post(f"{path}/{answers[0]['id']}/lift", {}, agent)
        assert lifted.status_code == 200 and lifted.json()["lifted_by"].startswith("key:")
        assert post(f"{path}/{answers[0]['id']}/lift", {}, agent).status_code == 409
        assert Client().get(f"/api/v1{path}", headers=agent).json()["results"] == [lifted.json()]

    def test_what_is_not_there_is_a_404(self, case: Case, agent: dict[str, str]) -> None:
        hold = post(f"/cases/{case.pk}/holds", HOLD, agent).json()["id"]
        for path in (f"/cases/{case.pk + 1}/holds/{hold}/lift", f"/cases/{case.pk}/holds/{10**20}/lift"):
            assert post(path, {}, agent).status_code == 404
        assert post("/cases/4711/holds", HOLD, agent).status_code == 404

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [("promises", PROMISE | {"amount": "0"}, "amount"), ("promises", PROMISE | {"due_on": "2020-01-01"}, "due_on"),
         ("promises", {"amount": "1"}, "due_on"), ("holds", HOLD | {"reason": ""}, "reason"),
         ("holds", HOLD | {"until": "2999-01-01"}, "until"), ("holds", HOLD | {"for": "ever"}, "for")],
    )  # fmt: skip
    def test_says_which_field_is_wrong(
        self, case: Case, agent: dict[str, str], path: str, body: dict[str, str], field: str
    ) -> None:
        answer = post(f"/cases/{case.pk}/{path}", body, agent)
        assert answer.status_code == 400 and field in wrong(answer), answer.json()


def test_takes_the_scope_and_a_role_that_may(case: Case, agent: dict[str, str]) -> None:
    refused = [key(SCOPES, role="support"), key(SCOPES, role="auditor"), key(["payments:read"], account=case.account)]
    refused.append(key(["payments:read", "collections:read"], role="finance"))
    writes = [("/payments", PAID), ("/payments?preview=true", PAID), ("/payments/1/apply", {})]
    writes += [(f"/cases/{case.pk}/promises", PROMISE), (f"/cases/{case.pk}/holds", HOLD)]
    for path, body in [*writes, (f"/cases/{case.pk}/holds/1/lift", {})]:
        for caller in refused:
            assert post(path, body, caller["headers"]).json()["code"] == "permission_denied", (path, caller)
    assert not Payment.objects.exists() and not case.holds.exists()
