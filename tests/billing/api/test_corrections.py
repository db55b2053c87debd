"""Changing drafts and correcting issued invoices by API: the sums follow, everything once, nothing without a reason."""

from typing import Any

import pytest

from accounts.models import Account
from billing import settling
from billing.models import CreditNote, Invoice, Run
from core.audit import acting
from tests.billing.api.conftest import KeyOf, call
from tests.factories import ACTOR, ISSUED_ON, OCTOBER, account, build, invoice, issue, ran, staff, use

pytestmark = pytest.mark.django_db
LINE = {"description": "Migration", "amount": "12.50", "reason": "Agreed by phone"}
LESS = {"amount": "5.00", "reason": "Half the month was free"}
BACK = {"lines": [{"position": 1, "amount": "10.00"}], "reason": "Outage of 12 October"}
ONCE = {"Idempotency-Key": "o"}


@pytest.fixture
def acme() -> Account:
    staff()
    return account("acme", region="DC")


@pytest.fixture
def run(acme: Account) -> Run:
    use(ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    return build()


@pytest.fixture
def draft(run: Run, acme: Account) -> Invoice:
    return invoice(acme)


@pytest.fixture
def opened(run: Run, acme: Account) -> Invoice:
    """The same invoice, issued: 25.00 and 6 % tax."""
    issue(run)
    return invoice(acme)


class TestDrafts:
    def test_are_found_by_their_id(self, key_of: KeyOf, draft: Invoice, acme: Account) -> None:
        said = call("get", f"/invoices/{draft.pk}", key_of("iris")).json()
        assert (said["id"], said["number"], said["subtotal"]) == (draft.pk, None, "25.00")
        assert call("get", "/invoices?status=draft", key_of("iris")).json()["results"][0]["id"] == draft.pk
        assert call("get", f"/invoices/{draft.pk}", key_of(acme)).status_code == 404

    def test_take_another_line_once_per_key(self, key_of: KeyOf, draft: Invoice) -> None:
        key, path = key_of("ada"), f"/invoices/{draft.pk}/lines"
        answers = [call("post", path, key, LINE, **ONCE) for _ in range(2)]
        assert [a.status_code for a in answers] == [201, 201] and answers[0].json() == answers[1].json()
        said = answers[0].json()
        assert (said["position"], said["kind"], said["amount"]) == (2, "manual", "12.50")
        draft.refresh_from_db()
        assert f"{draft.subtotal:.2f}" == "37.50" and draft.lines.get(position=2).author.startswith("key:")

    def test_take_another_amount_or_none_for_a_line(self, key_of: KeyOf, draft: Invoice) -> None:
        key, path = key_of("ada"), f"/invoices/{draft.pk}/lines/1"
        assert call("patch", path, key, LESS, **ONCE).json()["amount"] == "5.00"
        assert call("patch", path, key, LESS | {"amount": 0}).json()["amount"] == "0.00"
        assert call("patch", path, key, LESS, **ONCE).headers["Idempotency-Replayed"] == "true"
        draft.refresh_from_db()
        assert draft.total == 0

    @pytest.mark.parametrize(
        ("changed", "field"),
        [({"amount": "1.005"}, "amount"), ({"amount": "much"}, "amount"), ({"reason": ""}, "reason"),
         ({"description": " "}, "description"), ({"group": "x"}, "group"), ({"price": "1"}, "price")],
    )  # fmt: skip
    def test_say_which_field_is_wrong(self, key_of: KeyOf, draft: Invoice, changed: Any, field: str) -> None:
        key = key_of("ada")
        answer = call("post", f"/invoices/{draft.pk}/lines", key, LINE | changed)
        assert answer.status_code == 400 and field in wrong(answer)
        if field in LESS:
            answer = call("patch", f"/invoices/{draft.pk}/lines/1", key, LESS | changed)
            assert answer.status_code == 400 and field in wrong(answer)
        assert draft.lines.count() == 1

    @pytest.mark.parametrize("position", [2, 99999999999999999999])
    def test_have_only_their_own_lines(self, key_of: KeyOf, draft: Invoice, position: int) -> None:
        assert call("patch", f"/invoices/{draft.pk}/lines/{position}", key_of("ada"), LESS).status_code == 404

    def test_are_left_alone_once_issued(self, key_of: KeyOf, opened: Invoice) -> None:
        for method, path, body in (("post", "lines", LINE), ("patch", "lines/1", LESS)):
            answer = call(method, f"/invoices/{opened.number}/{path}", key_of("ada"), body)
            assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


class TestTakeBack:
    def test_is_a_credit_note_while_the_invoice_is_open(self, key_of: KeyOf, opened: Invoice, acme: Account) -> None:
        path = f"/invoices/{opened.number}/credit-notes"
        answers = [call("post", path, key_of("ada"), BACK, **ONCE)]
        note = answers[0].json()["credit_note"]
        assert answers[0].status_code == 201 and answers[0].json()["credits"] == []
        assert (note["subtotal"], note["tax"], note["total"]) == ("10.00", "0.60", "10.60")
        assert note["lines"] == [{"position": 1, "description": opened.lines.get().description, "amount": "10.00",
                                  "settlement": "owed"}]  # fmt: skip
        for owner in ("iris", acme):
            assert call("get", path, key_of(owner)).json()["results"] == [note]
        assert call("get", path, key_of(account("globex"))).status_code == 404

    def test_happens_once_per_key(self, key_of: KeyOf, opened: Invoice) -> None:
        key, path = key_of("ada"), f"/invoices/{opened.number}/credit-notes"
        answers = [call("post", path, key, BACK, **ONCE).json() for _ in range(2)]
        assert answers[0] == answers[1] and CreditNote.objects.count() == 1

    def test_is_a_credit_once_the_invoice_is_paid(self, key_of: KeyOf, opened: Invoice) -> None:
        with acting(ACTOR):
            settling.settle(opened.pk, opened.total, on=ISSUED_ON)
        said = call("post", f"/invoices/{opened.number}/credit-notes", key_of("ada"), BACK).json()
        (credit,) = said["credits"]
        assert (said["credit_note"]["granted"], credit["amount"]) == ("10.00", "10.00")
        assert credit["corrects"] == opened.number

    @pytest.mark.parametrize(
        ("body", "field"),
        [({"lines": []}, "lines"), ({"lines": [{"position": 7, "amount": "1"}]}, "lines[0].position"),
         ({"lines": BACK["lines"] * 2}, "lines[1].position"), ({"lines": [{"position": 1}]}, "lines[0].amount"),
         ({"lines": [{"position": 1, "amount": "25.01"}]}, "amount"), ({"reason": ""}, "reason")],
    )  # fmt: skip
    def test_says_which_field_is_wrong(self, key_of: KeyOf, opened: Invoice, body: Any, field: str) -> None:
        answer = call("post", f"/invoices/{opened.number}/credit-notes", key_of("ada"), BACK | body)
        assert answer.status_code == 400 and field in wrong(answer) and not CreditNote.objects.exists(), answer.json()

    def test_is_not_for_a_draft(self, key_of: KeyOf, draft: Invoice) -> None:
        assert call("post", f"/invoices/{draft.pk}/credit-notes", key_of("ada"), BACK).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "body"), [("post", "lines", LINE), ("patch", "lines/1", LESS), ("post", "credit-notes", BACK)]
)
def test_takes_the_scope_and_a_role_that_may(
    key_of: KeyOf, draft: Invoice, acme: Account, method: str, path: str, body: Any
) -> None:
    for owner in ("sam", "omar", "cleo", "iris", acme):
        assert call(method, f"/invoices/{draft.pk}/{path}", key_of(owner), body).status_code == 403
    assert call(method, f"/invoices/{draft.pk}/{path}", key_of("ada", ["invoices:read"]), body).status_code == 403
    assert draft.lines.count() == 1


def wrong(answer: Any) -> set[str]:
    """The fields that a problem names."""
    said = answer.json()
    return {said.get("field", ""), *(error["field"] for error in said.get("errors", []))}


class TestVoid:
    def test_ends_an_invoice_once_per_key(self, key_of: KeyOf, opened: Invoice) -> None:
        key, path = key_of("ada"), f"/invoices/{opened.number}/void"
        answers = [call("post", path, key, {"reason": "Wrong party"}, **ONCE) for _ in range(2)]
        assert [a.status_code for a in answers] == [200, 200] and answers[0].json() == answers[1].json()
        assert answers[0].json()["status"] == "void"
        assert call("post", path, key, {}).json()["code"] == "invalid"

    def test_is_not_for_a_draft(self, key_of: KeyOf, draft: Invoice) -> None:
        assert call("post", f"/invoices/{draft.pk}/void", key_of("ada"), {"reason": "x"}).status_code == 409
