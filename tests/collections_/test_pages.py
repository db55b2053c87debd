"""The pages of collections: who may see and do what, and that each button does what it says."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from billing.models import Invoice
from collections_ import charging
from collections_.models import Case, CaseEvent, ChargeAttempt, Payment
from tests.collections_ import factories
from tests.collections_.conftest import signed_in
from tests.collections_.factories import TODAY

READABLE = [
    "/collections/",
    "/collections/?q=acme&assignee=nobody&pause=no&currency=usd&state=all&sort=-oldest",
    "/collections/?assignee=me",
    "/collections/?assignee=77&state=nonsense&page=9",
    "/collections/aging/",
    "/collections/aging/?currency=USD&bucket=1-30",
    "/payments/",
    "/payments/?q=x&method=card&applied=no&since=2026-01-01&until=nonsense",
    "/payments/charges/",
    "/payments/charges/?outcome=declined&q=acme",
]


def texts(client: Client, address: str, **form: str) -> str:
    came_from = {"headers": {"Referer": "http://testserver/collections/"}}
    answer = client.post(address, form, follow=True, **came_from) if form else client.get(address, follow=True)
    assert answer.status_code == 200, address
    return answer.content.decode()


class TestReading:
    @pytest.mark.parametrize("address", READABLE)
    def test_every_list_opens(self, agent: Client, case: Case, address: str) -> None:
        assert "<h1>" in texts(agent, address)

    def test_empty_lists_open_too(self, agent: Client) -> None:
        for address in READABLE:
            texts(agent, address)

    def test_the_worklist_says_what_is_owed_and_what_comes_next(self, agent: Client, case: Case) -> None:
        page = texts(agent, "/collections/")
        assert "Acme" in page
        assert "75.85" in page
        assert "Second charge on" in page

    def test_a_case_tells_its_story(self, auditor: Client, case: Case) -> None:
        page = texts(auditor, f"/collections/cases/{case.pk}/")
        assert "Not enough money on the card; will be tried again" in page
        assert "Reminder for invoice" in page
        assert "Record a promise" not in page, "an auditor changes nothing"

    def test_a_question_about_charges_is_answered_by_charges(self, agent: Client, case: Case) -> None:
        assert agent.get("/payments/?outcome=unknown").headers["Location"] == "/payments/charges/?outcome=unknown"

    def test_a_list_asks_as_often_for_many_cases_as_for_few(
        self, agent: Client, case: Case, django_assert_max_num_queries: object
    ) -> None:
        with django_assert_max_num_queries(16):  # type: ignore[operator]
            texts(agent, "/collections/")

    def test_exports_hold_what_the_lists_show(self, agent: Client, case: Case) -> None:
        rows = b"".join(agent.get("/collections/export.csv")).decode().splitlines()  # type: ignore[arg-type]
        assert rows[1].startswith("acme,Acme,acme@example.com,USD,75.85,1,")
        header = b"".join(agent.get("/payments/export.csv")).decode()  # type: ignore[arg-type]
        assert header.startswith("received_on,account")


class TestRefusals:
    WRITES = ["note/", "promise/", "hold/", "assign/"]

    @pytest.mark.parametrize("part", WRITES)
    def test_an_auditor_changes_nothing(self, auditor: Client, case: Case, part: str) -> None:
        assert auditor.post(f"/collections/cases/{case.pk}/{part}", {"text": "x"}).status_code == 403

    def test_support_sees_but_does_not_charge(self, case: Case, invoice: Invoice) -> None:
        support = signed_in("support")
        assert support.get("/collections/").status_code == 200
        assert support.post(f"/collections/cases/{case.pk}/charge/{invoice.number}/").status_code == 403
        assert support.get("/payments/record/acme/").status_code == 403
        assert support.get("/collections/export.csv").status_code == 403

    @pytest.mark.parametrize("address", ["/collections/cases/999/", "/payments/999/", "/payments/charges/999/"])
    def test_what_does_not_exist_is_not_found(self, agent: Client, address: str) -> None:
        assert agent.get(address).status_code == 404

    def test_a_stranger_is_sent_to_sign_in(self, client: Client, transactional_db: None) -> None:
        assert client.get("/collections/").headers["Location"].startswith("/sign-in/")


class TestActing:
    def test_a_note_is_kept_word_for_word(self, agent: Client, case: Case) -> None:
        page = texts(agent, f"/collections/cases/{case.pk}/note/", text="Called: <b>pays</b> Friday")
        assert "Called: &lt;b&gt;pays&lt;/b&gt; Friday" in page
        assert CaseEvent.objects.first().actor == "user:collections@example.com"  # type: ignore[union-attr]

    def test_a_card_number_is_never_kept(self, agent: Client, case: Case) -> None:
        texts(agent, f"/collections/cases/{case.pk}/note/", text="card 4242 4242 4242 4242 read to me")
        assert not CaseEvent.objects.filter(kind="note").exists()

    def test_a_hold_pauses_and_is_lifted(self, agent: Client, case: Case) -> None:
        until = (TODAY + timedelta(days=10)).isoformat()
        page = texts(agent, f"/collections/cases/{case.pk}/hold/", reason="Dispute", until=until)
        assert "On hold through" in page
        assert "On hold until" in texts(agent, "/collections/?pause=hold")
        page = texts(agent, f"/collections/cases/{case.pk}/holds/{case.holds.get().pk}/lift/", sure="yes")
        assert "Hold lifted: Dispute" in page

    @pytest.mark.parametrize("days", [-1, 400])
    def test_a_hold_has_an_end_that_makes_sense(self, agent: Client, case: Case, days: int) -> None:
        until = (TODAY + timedelta(days=days)).isoformat()
        page = texts(agent, f"/collections/cases/{case.pk}/hold/", reason="Dispute", until=until)
        assert "Choose a day from today to" in page
        assert not case.holds.exists()

    def test_a_promise_is_recorded_once(self, agent: Client, case: Case) -> None:
        promise = {"amount": "75.85", "due_on": TODAY.isoformat()}
        assert "promised for" in texts(agent, f"/collections/cases/{case.pk}/promise/", **promise)
        assert "There is an open promise" in texts(agent, f"/collections/cases/{case.pk}/promise/", **promise)

    def test_a_case_is_assigned(self, agent: Client, case: Case) -> None:
        me = agent.session["_auth_user_id"]
        assert "Assigned to Collections" in texts(agent, f"/collections/cases/{case.pk}/assign/", assignee=me)
        assert "Acme" in texts(agent, "/collections/?assignee=me")

    def test_charging_now_says_what_it_will_do_and_what_the_bank_said(
        self, agent: Client, case: Case, invoice: Invoice
    ) -> None:
        address = f"/collections/cases/{case.pk}/charge/{invoice.number}/"
        assert "Charges 75.85 USD to Visa ···· 4242 at once" in texts(agent, address)
        page = texts(agent, address, sure="yes")
        assert "75.85 USD was charged" in page
        assert "Nothing is past due any more" in page
        assert "Nothing is outstanding" in texts(agent, address, sure="again")
        assert Payment.objects.count() == 1

    def test_a_payment_is_previewed_and_then_booked(self, agent: Client, case: Case) -> None:
        typed = {
            "amount": "100.00",
            "method": "bank_transfer",
            "reference": "B-77",
            "received_on": TODAY.isoformat(),
            "first": "",
        }
        page = texts(agent, "/payments/record/acme/", **typed)
        assert "24.15 USD stays unapplied" in page
        assert not Payment.objects.exists()
        page = texts(agent, "/payments/record/acme/", **typed, book="yes")
        assert "100.00 USD is booked" in page
        assert "recorded already" in texts(agent, "/payments/record/acme/", **typed, book="yes")
        payment = Payment.objects.get()
        assert payment.applied == Decimal("75.85")
        page = texts(agent, f"/payments/{payment.pk}/apply/", sure="yes")
        assert "owes nothing" in page

    @pytest.mark.parametrize("amount", ["0", "-1", "1.001", "1e20", "NaN", "Infinity", "x"])
    def test_a_payment_that_cannot_be_is_not_booked(self, agent: Client, case: Case, amount: str) -> None:
        typed = {"amount": amount, "method": "cash", "reference": "r", "received_on": TODAY.isoformat()}
        assert "Nothing was booked" in texts(agent, "/payments/record/acme/", **typed, book="yes")
        assert not Payment.objects.exists()

    def test_an_unclear_charge_is_asked_about_and_settled_by_hand(self, agent: Client, transactional_db: None) -> None:
        owner = factories.account("acme")
        factories.card(owner, "tok_unreachable")
        attempt = charging.pay_now(factories.invoice(owner).pk, actor="user:a@x.y", as_of=TODAY)
        assert "no answer yet" in texts(agent, f"/payments/charges/{attempt.pk}/ask/", sure="yes")
        ChargeAttempt.objects.filter(pk=attempt.pk).update(outcome="manual", state="dead")
        page = texts(agent, f"/payments/charges/{attempt.pk}/", charge_id="", note="")
        assert "This field is required" in page
        page = texts(
            agent, f"/payments/charges/{attempt.pk}/", charge_id="ch_unreachable_7", captured="75.85", note="its page"
        )
        assert "Captured" in page
        assert Payment.objects.get().reference == "ch_unreachable_7"
