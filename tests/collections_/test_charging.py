"""Charging: what each answer of the gateway leaves in the books, and that no answer is never taken for one."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import Invoice, LedgerEntry
from collections_ import charging, collecting, gateways, paying, reconciling
from collections_.gateways import sandbox
from collections_.models import Allocation, AttemptOutcome, CaseEvent, ChargeAttempt, Payment
from core import leases
from core.errors import Conflict, Invalid, Refused
from monitoring import invariants
from tests.collections_ import factories
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)


def charged(token: str) -> tuple[Invoice, ChargeAttempt]:
    owner = factories.account("acme")
    factories.card(owner, token)
    invoice = factories.invoice(owner)
    attempt = charging.pay_now(invoice.pk, actor="user:ada@example.com", as_of=DUE)
    invoice.refresh_from_db()
    return invoice, attempt


def balances() -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for name, amount in LedgerEntry.objects.values_list("ledger_account", "amount"):
        sums[name] = sums.get(name, Decimal(0)) + amount
    return {name: amount for name, amount in sums.items() if amount}


def look_again() -> None:
    """Let the time pass after which a charge is asked about."""
    ChargeAttempt.objects.filter(state="ready").update(run_after="2026-01-01T00:00:00Z")
    reconciling.reconcile_waiting()


class TestACapturedCharge:
    def test_pays_the_invoice_and_posts_once(self) -> None:
        invoice, attempt = charged("tok_ok")
        assert (attempt.outcome, invoice.status, invoice.payment_status) == ("succeeded", "paid", "paid")
        payment = Payment.objects.get()
        assert (payment.amount, payment.applied, payment.reference) == (
            Decimal("75.85"),
            Decimal("75.85"),
            attempt.gateway_charge_id,
        )
        assert Allocation.objects.get().invoice_id == invoice.pk
        assert balances() == {"cash": Decimal("75.85"), "revenue": Decimal("-75.85")}

    def test_leaves_what_is_not_owed_any_more_unapplied(self) -> None:
        owner = factories.account("acme")
        factories.card(owner, "tok_timeout_after")
        invoice = factories.invoice(owner)
        charging.pay_now(invoice.pk, actor="user:ada@example.com", as_of=DUE)
        paying.record(
            account_id=owner.pk,
            currency="USD",
            amount=Decimal("75.85"),
            method="bank_transfer",
            reference="B1",
            received_on=DUE,
            actor="user:ada@example.com",
        )
        look_again()
        assert sorted(Payment.objects.values_list("method", "applied")) == [
            ("bank_transfer", Decimal("75.85")),
            ("card", Decimal(0)),
        ]
        assert balances()["unapplied"] == Decimal("-75.85")


class TestADecline:
    @pytest.mark.parametrize(
        ("token", "code", "kind"),
        [
            ("tok_insufficient_funds", "insufficient_funds", "retryable"),
            ("tok_expired", "expired_card", "needs_customer"),
            ("tok_stolen", "stolen_card", "never_retry"),
        ],
    )
    def test_is_classified_and_moves_no_money(self, token: str, code: str, kind: str) -> None:
        invoice, attempt = charged(token)
        assert (attempt.outcome, attempt.decline_code, attempt.decline_class) == ("declined", code, kind)
        assert (invoice.status, invoice.payment_status) == ("open", "declined")
        assert balances() == {"receivable": Decimal("75.85"), "revenue": Decimal("-75.85")}

    def test_that_forbids_another_try_is_respected(self) -> None:
        invoice, _ = charged("tok_stolen")
        with pytest.raises(Refused, match="another card"):
            charging.pay_now(invoice.pk, actor="user:ada@example.com", as_of=DUE)
        factories.card(invoice.account, "tok_ok")
        assert charging.pay_now(invoice.pk, actor="user:ada@example.com", as_of=DUE).outcome == "succeeded"


class TestNoAnswer:
    @pytest.mark.parametrize("token", ["tok_timeout_before", "tok_timeout_after"])
    def test_is_unknown_until_the_gateway_was_asked_with_the_same_key(self, token: str) -> None:
        invoice, attempt = charged(token)
        assert (attempt.outcome, invoice.payment_status, invoice.status) == ("unknown", "unknown", "open")
        with pytest.raises(Conflict, match="not been answered"):
            charging.pay_now(invoice.pk, actor="user:ada@example.com", as_of=DUE)
        look_again()
        attempt.refresh_from_db()
        invoice.refresh_from_db()
        assert (attempt.outcome, invoice.status) == ("succeeded", "paid")
        assert [capture.key for capture in sandbox.from_settings().captures()] == [attempt.key]

    def test_is_asked_about_less_and_less_often_and_then_by_a_person(self) -> None:
        assert [reconciling.next_look(elapsed) for elapsed in (0, 31, 100, 400, 2000, 80 * 3600)] == [
            30,
            59,
            290,
            890,
            3600,
            None,
        ]

    def test_of_a_gateway_that_stays_away_ends_with_a_person(self) -> None:
        invoice, attempt = charged("tok_unreachable")
        look_again()
        attempt.refresh_from_db()
        assert attempt.outcome == "unknown"
        ChargeAttempt.objects.update(submitted_at="2026-01-01T00:00:00Z")
        look_again()
        attempt.refresh_from_db()
        assert attempt.outcome == "manual"
        resolved = reconciling.resolve(attempt.pk, charge_id="", note="nothing on the statement", actor="user:eve@x.y")
        assert (resolved.outcome, resolved.decline_code) == ("declined", "not_charged")
        invoice.refresh_from_db()
        assert invoice.payment_status == "declined"

    def test_is_not_settled_with_the_charge_of_another(self) -> None:
        _, other = charged("tok_ok")
        owner = factories.account("bolt")
        factories.card(owner, "tok_unreachable")
        attempt = charging.pay_now(factories.invoice(owner).pk, actor="user:ada@example.com", as_of=DUE)
        ChargeAttempt.objects.update(submitted_at="2026-01-01T00:00:00Z")
        look_again()
        given: dict[str, Any] = {"note": "on the statement", "actor": "user:eve@x.y"}
        with pytest.raises(Conflict, match=f"invoice {other.invoice.number}"):
            reconciling.resolve(attempt.pk, charge_id=f" {other.gateway_charge_id} ", **given)
        with pytest.raises(Invalid, match="knows no charge"):
            reconciling.resolve(attempt.pk, charge_id="ch_made_up", **given)
        with pytest.raises(Invalid, match="say what was captured"):
            reconciling.resolve(attempt.pk, charge_id="ch_unreachable_7", **given)
        for wrong in ("0", "-1", "1.001"):
            with pytest.raises(Invalid):
                reconciling.resolve(attempt.pk, charge_id="ch_unreachable_7", captured=Decimal(wrong), **given)
        found = reconciling.resolve(attempt.pk, charge_id="ch_unreachable_7", captured=Decimal("75.85"), **given)
        assert (found.outcome, found.captured) == ("succeeded", Decimal("75.85"))


class TestAnotherAmountThanWasAsked:
    """75.85 were asked for; a person finds the charge in the gateway's books, and those are booked."""

    def found(self, token: str) -> tuple[Invoice, ChargeAttempt]:
        invoice, attempt = charged(token)
        assert (attempt.outcome, Payment.objects.count()) == ("manual", 0)
        (captured,) = sandbox.from_settings().captures()
        given: dict[str, Any] = {"note": "in its books", "actor": "user:eve@x.y"}
        with pytest.raises(Invalid, match="The gateway says"):
            reconciling.resolve(attempt.pk, charge_id=captured.charge_id, captured=Decimal("75.85"), **given)
        attempt = reconciling.resolve(attempt.pk, charge_id=captured.charge_id, **given)
        assert attempt.outcome == "succeeded"
        assert [(one.amount, one.reference) for one in Payment.objects.all()] == [(captured.amount, captured.charge_id)]
        assert -balances()["cash"] == -captured.amount, "the gateway's truth and the ledger agree"
        invoice.refresh_from_db()
        assert all(invariants.check(one).holds for one in invariants.collect())
        return invoice, attempt

    def test_less_leaves_the_rest_owed_and_is_charged_again(self) -> None:
        invoice, _ = self.found("tok_captures_half")
        assert (invoice.status, invoice.payment_status, invoice.outstanding) == ("open", "none", Decimal("37.92"))
        again = charging.request(invoice.pk, actor="user:ada@example.com", as_of=DUE)
        assert again.amount == Decimal("37.92")

    def test_more_stays_unapplied(self) -> None:
        invoice, _ = self.found("tok_captures_twice")
        assert (invoice.status, balances()["unapplied"]) == ("paid", Decimal("-75.85"))

    def test_is_told_to_the_open_case(self) -> None:
        owner = factories.account("acme")
        factories.invoice(owner, due_on=DUE - timedelta(days=9), month=9)
        collecting.run(DUE)
        factories.card(owner, "tok_captures_half")
        late = factories.invoice(owner)
        attempt = charging.pay_now(late.pk, actor="user:ada@example.com", as_of=DUE)
        (captured,) = sandbox.from_settings().captures()
        reconciling.resolve(attempt.pk, charge_id=captured.charge_id, note="there", actor="user:eve@x.y")
        told = CaseEvent.objects.get(kind="charge").text
        assert (
            told == f"The gateway captured 37.93 USD, not 75.85 USD, for {late.number}: 37.92 USD of it is still owed"
        )

    def test_is_refused_by_the_database_when_a_payment_says_otherwise(self) -> None:
        charged("tok_ok")
        with pytest.raises(DatabaseError, match="not what the gateway captured"), connection.cursor() as cursor:
            cursor.execute(
                "insert into collections_payment (account_id, attempt_id, currency, amount, applied, refunded, method,"
                " reference, received_on, recorded_by, recorded_at) select account_id, attempt_id, currency, 1, 0, 0,"
                " method, reference, received_on, '', now() from collections_payment"
            )


class TestAnAttempt:
    def test_is_never_sent_with_a_transaction_open(self) -> None:
        owner = factories.account("acme")
        factories.card(owner)
        attempt = charging.request(factories.invoice(owner).pk, actor="user:ada@example.com", as_of=DUE)
        with transaction.atomic(), pytest.raises(RuntimeError, match="transaction open"):
            charging.send(attempt)

    def test_is_not_sent_when_the_debt_has_changed(self) -> None:
        owner = factories.account("acme")
        factories.card(owner)
        invoice = factories.invoice(owner)
        attempt = charging.request(invoice.pk, actor="user:ada@example.com", as_of=DUE)
        paying.record(
            account_id=owner.pk,
            currency="USD",
            amount=Decimal(10),
            method="cash",
            reference="till 1",
            received_on=DUE,
            actor="user:ada@example.com",
        )
        charging.charge_waiting()
        attempt.refresh_from_db()
        assert attempt.outcome == AttemptOutcome.CANCELLED
        assert sandbox.from_settings().captures() == []

    def test_of_another_amount_under_the_same_key_is_refused_by_the_gateway(self) -> None:
        gateway = gateways.named("sandbox")
        asked = {"key": "k", "currency": "USD", "token": "tok_ok", "description": ""}
        first = gateway.charge(amount=Decimal("1.00"), **asked)
        assert gateway.charge(amount=Decimal("1.0000"), **asked) == first
        with pytest.raises(gateways.GatewayRefused):
            gateway.charge(amount=Decimal("2.00"), **asked)

    def test_needs_a_card_that_is_good_that_day(self) -> None:
        owner = factories.account("acme")
        invoice = factories.invoice(owner)
        with pytest.raises(Conflict, match="no payment method"):
            charging.request(invoice.pk, actor="user:ada@example.com", as_of=DUE)
        factories.card(owner, expires=date(2026, 10, 31))
        with pytest.raises(Conflict, match="expired"):
            charging.request(invoice.pk, actor="user:ada@example.com", as_of=DUE)


class Odd(sandbox.SandboxGateway):
    """A gateway whose answers to a charge are odd in the way that ``answer`` says."""

    def __init__(self, answer: gateways.Charged | Exception) -> None:
        super().__init__(sandbox.from_settings().journal)
        self.answer = answer

    def charge(self, **asked: Any) -> gateways.Charged | gateways.Declined:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class TestAnOddAnswer:
    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            (ValueError("not JSON"), "unknown"),
            (gateways.NoAnswer("503"), "unknown"),
            (gateways.GatewayRefused("malformed"), "manual"),
            (gateways.Charged("ch_1", Decimal("75.84"), "USD"), "manual"),
            (gateways.Charged("ch_1", Decimal("75.85"), "EUR"), "manual"),
        ],
    )
    def test_is_never_taken_for_a_payment(
        self, monkeypatch: pytest.MonkeyPatch, answer: gateways.Charged | Exception, outcome: str
    ) -> None:
        monkeypatch.setitem(gateways.ADAPTERS, "sandbox", lambda: Odd(answer))  # type: ignore[arg-type]
        invoice, attempt = charged("tok_ok")
        assert (attempt.outcome, invoice.payment_status, Payment.objects.count()) == (outcome, "unknown", 0)
        assert attempt.last_error

    def test_that_cannot_be_booked_stops_no_other_charge(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = gateways.Charged("ch_1", Decimal("75.85"), "USD")  # the same charge for both, which cannot be
        monkeypatch.setitem(gateways.ADAPTERS, "sandbox", lambda: Odd(answer))  # type: ignore[arg-type]
        for code in ("acme", "bolt", "corp"):
            owner = factories.account(code)
            factories.card(owner)
            charging.request(factories.invoice(owner).pk, actor="user:ada@example.com", as_of=DUE)
        charging.charge_waiting()
        outcomes = sorted(ChargeAttempt.objects.values_list("outcome", flat=True))
        assert (outcomes, Payment.objects.count()) == (["submitting", "submitting", "succeeded"], 1)


class TestAWorkerThatSleptTooLong:
    def test_loses_its_result_to_the_one_who_took_over(self) -> None:
        owner = factories.account("acme")
        factories.card(owner)
        charging.request(factories.invoice(owner).pk, actor="user:ada@example.com", as_of=DUE)
        (slow,) = charging.claim("outcome = 'created'")
        assert charging._submit(slow)
        ChargeAttempt.objects.update(lease_until="2026-01-01T00:00:00Z")
        reconciling.reconcile_waiting()
        captured = sandbox.from_settings().captures()[0]
        with pytest.raises(leases.LeaseLost):
            charging.record(slow, gateways.Charged(captured.charge_id, captured.amount, captured.currency))
        with pytest.raises(leases.LeaseLost):
            charging.no_answer(slow, "too late", wait=30)
        assert (ChargeAttempt.objects.get().outcome, Payment.objects.count()) == ("succeeded", 1)
