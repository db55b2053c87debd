"""A day of collecting: who is charged, who gets a case, which rung is taken, and that a repeat changes nothing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import Invoice
from collections_ import casework, charging, climbing, collecting, locks, paying, policies, positions
from collections_.gateways import sandbox
from collections_.models import Case, CaseEvent, CaseStep, ChargeAttempt, Payment
from core import audit
from core.errors import Refused
from core.models import Mail, OutboxMessage
from tests.collections_ import factories
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "user:ada@example.com"


def day(number: int) -> date:
    return DUE + timedelta(days=number)


def collect(*days: int) -> None:
    for number in days:
        collecting.run(day(number))


def steps() -> list[tuple[str, int]]:
    return [(step.name, (step.taken_on - DUE).days) for step in CaseStep.objects.order_by("pk")]


class TestADay:
    def test_charges_what_is_due_and_opens_no_case_for_what_is_paid(self) -> None:
        good, bad = factories.account("good"), factories.account("bad")
        factories.card(good)
        factories.card(bad, "tok_insufficient_funds")
        factories.invoice(good, "10.00")
        factories.invoice(bad, "20.00")
        factories.invoice(good, "30.00", due_on=day(1), issued_on=DUE, month=11)
        summary = collecting.run(DUE)
        assert (summary.charged, summary.succeeded, summary.declined) == (2, 1, 1)
        assert summary.collected == {"USD": Decimal(10)}
        assert (summary.cases_opened, summary.past_due_invoices) == (0, 0)
        summary = collecting.run(day(1))
        assert (summary.succeeded, summary.cases_opened, summary.notices) == (1, 1, 1)
        assert summary.past_due == {"USD": Decimal(20)}
        case = Case.objects.get()
        assert (case.account.code, case.opened_on) == ("bad", day(1))
        mail = Mail.objects.get()
        assert (mail.kind, mail.recipient) == ("dunning.reminder", "bad@example.com")
        assert "20.00 USD" in mail.text
        assert "4242" in mail.text

    def test_run_twice_says_the_same_and_does_nothing_more(self) -> None:
        owner = factories.account("acme")
        factories.card(owner, "tok_insufficient_funds")
        factories.invoice(owner)
        collect(0)
        first = collecting.run(day(1))
        counts = [model.objects.count() for model in (ChargeAttempt, CaseStep, CaseEvent, Mail, Payment)]
        assert collecting.run(day(1)) == first
        assert [model.objects.count() for model in (ChargeAttempt, CaseStep, CaseEvent, Mail, Payment)] == counts

    def test_climbs_the_ladder_day_by_day(self) -> None:
        owner = factories.account("acme")
        factories.card(owner, "tok_insufficient_funds")
        factories.invoice(owner)
        collect(*range(32))
        assert steps() == [("reminder", 1), ("final_notice", 14), ("restriction", 21), ("suspension", 30)]
        assert [attempt.step for attempt in ChargeAttempt.objects.order_by("pk")] == ["first_charge", "second_charge"]
        assert [(a.created_on - DUE).days for a in ChargeAttempt.objects.order_by("pk")] == [0, 10]
        assert set(OutboxMessage.objects.values_list("topic", flat=True)) == {"collections.step_taken"}

    def test_keeps_the_distances_when_it_was_late(self) -> None:
        factories.invoice(factories.account("acme"))
        collect(60, 61, 62, 73, 74)
        assert steps() == [("reminder", 60), ("final_notice", 73)]

    def test_never_tries_a_card_again_that_the_bank_forbids(self) -> None:
        owner = factories.account("acme")
        factories.card(owner, "tok_stolen")
        factories.invoice(owner)
        collect(0, 1, 10, 14)
        assert ChargeAttempt.objects.count() == 1
        factories.card(owner, "tok_ok")
        collect(15)
        assert Invoice.objects.get().status == "paid"
        assert Case.objects.get().state == "closed"

    def test_nor_for_another_invoice(self) -> None:
        owner = factories.account("acme")
        factories.card(owner, "tok_stolen")
        factories.invoice(owner)
        collect(0)
        second = factories.invoice(owner, due_on=day(1), issued_on=DUE, month=11)
        collect(1, 10, 14)
        assert ChargeAttempt.objects.count() == 1
        with pytest.raises(Refused, match="another card"):
            charging.pay_now(second.pk, actor=ADA, as_of=day(14))
        factories.card(owner, "tok_ok")
        collect(15)
        assert set(Invoice.objects.values_list("status", flat=True)) == {"paid"}

    def test_takes_no_step_for_what_was_paid_or_is_being_paid_since_it_looked(self) -> None:
        """R-42: a payment that comes while the day's steps are decided is seen before anything is taken away."""
        paid, paying_now, late = (factories.account(code) for code in ("paid", "paying", "late"))
        for owner in (paid, paying_now, late):
            factories.invoice(owner)
        collect(1, 14, 21)
        (owed,) = positions.due(day(30))
        factories.card(paying_now, "tok_unreachable")
        charging.pay_now(Invoice.objects.get(account=paying_now).pk, actor=ADA, as_of=day(30))
        paying.record(account_id=paid.pk, currency="USD", amount=Decimal("75.85"), method="cash", reference="till 9",
                      received_on=day(20), actor=ADA)  # fmt: skip
        before = OutboxMessage.objects.count()
        assert climbing.take_steps(owed, policies.current().pk, day(30)) == 1
        assert [step.invoice.account.code for step in CaseStep.objects.filter(taken_on=day(30))] == ["late"]
        assert OutboxMessage.objects.count() == before + 1

    def test_waits_while_nobody_knows_about_a_charge(self) -> None:
        owner = factories.account("acme")
        factories.card(owner, "tok_unreachable")
        factories.invoice(owner)
        collect(0)
        summary = collecting.run(day(5))
        assert (summary.cases_opened, steps(), ChargeAttempt.objects.count()) == (0, [], 1)

    def test_takes_nothing_away_from_somebody_who_could_not_be_told(self) -> None:
        factories.invoice(factories.account("acme", email=""))
        collect(1, 14, 21, 30, 65)
        assert steps() == [("reminder", 1), ("final_notice", 14)]
        assert {step.result for step in CaseStep.objects.all()} == {"not sent: the account has no e-mail address"}

    def test_settles_with_money_that_lies_unapplied_before_it_charges(self) -> None:
        owner = factories.account("acme")
        factories.card(owner)
        first = {"account_id": owner.pk, "currency": "USD", "method": "cash", "received_on": DUE, "actor": ADA}
        paying.record(amount=Decimal(50), reference="till 1", **first)
        factories.invoice(owner, "75.85")
        collect(0)
        assert Invoice.objects.get().status == "paid"
        assert [capture.amount for capture in sandbox.from_settings().captures()] == [Decimal("25.85")]


class TestPauses:
    def past_due(self) -> Case:
        factories.invoice(factories.account("acme"))
        collect(1)
        return Case.objects.get()

    def test_a_hold_pauses_through_its_last_day(self) -> None:
        case = self.past_due()
        casework.hold(case.pk, reason="disputed bill", until=day(20), as_of=day(2), actor=ADA)
        collect(14, 20)
        assert steps() == [("reminder", 1)]
        collect(21)
        assert steps()[-1] == ("final_notice", 21)
        assert "Hold ended on its day: disputed bill" in CaseEvent.objects.values_list("text", flat=True)

    def test_a_broken_promise_lets_the_ladder_go_on(self) -> None:
        case = self.past_due()
        made = casework.promise(case.pk, amount=Decimal(50), due_on=day(16), as_of=day(2), actor=ADA)
        collect(16)
        assert steps() == [("reminder", 1)]
        collect(17)
        made.refresh_from_db()
        assert (made.state, steps()[-1]) == ("broken", ("final_notice", 17))

    def test_a_kept_promise_is_noticed_with_the_payment(self) -> None:
        case = self.past_due()
        made = casework.promise(case.pk, amount=Decimal(50), due_on=day(16), as_of=day(2), actor=ADA)
        paying.record(
            account_id=case.account_id,
            currency="USD",
            amount=Decimal(50),
            method="bank_transfer",
            reference="B1",
            received_on=day(10),
            actor=ADA,
        )
        made.refresh_from_db()
        case.refresh_from_db()
        assert (made.state, case.state) == ("kept", "open")

    def test_a_case_that_somebody_closed_this_moment_is_not_closed_again(self) -> None:
        owner = factories.account("acme")
        invoice = factories.invoice(owner)
        collect(1)
        case = Case.objects.get()
        paying.record(account_id=owner.pk, currency="USD", amount=invoice.total, method="cash", reference="till 3",
                      received_on=day(2), actor=ADA)  # fmt: skip
        with audit.acting(ADA):
            assert casework.close_settled([locks.case(case.pk)], as_of=day(5), on=day(5)) == 0
        assert Case.objects.get().closed_on == day(2)
        assert CaseEvent.objects.filter(kind="closed").count() == 1

    def test_a_case_closes_when_its_last_debt_is_settled(self) -> None:
        case = self.past_due()
        paying.record(
            account_id=case.account_id,
            currency="USD",
            amount=Decimal("75.85"),
            method="bank_transfer",
            reference="B1",
            received_on=day(10),
            actor=ADA,
        )
        case.refresh_from_db()
        assert (case.state, case.closed_on) == ("closed", day(10))


class TestScale:
    def test_asks_the_database_as_often_for_many_invoices_as_for_few(self) -> None:
        """Charges are carried one by one; reading, deciding and taking notice steps is not."""

        def statements(accounts: range) -> int:
            for number in accounts:
                factories.invoice(factories.account(f"a{number}", email=""), due_on=day(len(accounts)))
            with audit.acting(ADA):
                policies.ladder(policies.current().pk)  # a version never changes: each process reads it once
            from django.test.utils import CaptureQueriesContext

            with CaptureQueriesContext(
                connection,
            ) as captured:
                collecting.run(day(len(accounts) + 1), drive=False)
            return len(captured)

        assert statements(range(2, 4)) == statements(range(4, 24))


def test_invoices_issued_today_and_due_today_are_charged_at_once() -> None:
    owner = factories.account("acme")
    factories.card(owner)
    today, later = factories.invoice(owner), factories.invoice(owner, due_on=day(30), issued_on=DUE, month=11)
    assert collecting.charge_issued([today.pk, later.pk]) == 1
    assert collecting.charge_issued([today.pk, later.pk]) == 0
    charging.charge_waiting()
    assert ChargeAttempt.objects.get().invoice_id == today.pk
