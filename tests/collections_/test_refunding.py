"""Refunds: unapplied money goes back once per key, above a limit by two people; a killed worker changes nothing."""

import signal
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.models import User
from billing.models import LedgerEntry
from collections_ import charging, charging_back, paying, reconciling, refunding
from collections_.gateways import sandbox
from collections_.gateways.sandbox import SandboxGateway
from collections_.models import ChargeAttempt, Payment, Refund
from core.errors import Conflict, Invalid, Refused
from monitoring import invariants
from tests.collections_ import factories
from tests.collections_.conftest import person
from tests.collections_.factories import DUE
from tests.world import World

BACKEND = "django.contrib.auth.backends.ModelBackend"
pytestmark = pytest.mark.django_db(transaction=True)
FIN, COL = "user:finance@example.com", "user:collections@example.com"


@pytest.fixture(autouse=True)
def cast(transactional_db: None) -> None:
    for role in ("finance", "collections", "support"):
        person(role)


@pytest.fixture
def agent() -> Client:
    client = Client()
    client.force_login(User.objects.get(email="collections@example.com"), backend=BACKEND)
    return client


def overpaid(token: str = "tok_ok", amount: str = "300") -> Payment:
    """An invoice that was charged after a bank transfer had paid it: all of the charge lies unapplied."""
    owner = factories.account("acme")
    factories.card(owner, token)
    made = factories.invoice(owner, amount)
    charging.request(made.pk, actor=FIN, as_of=DUE)
    (attempt,) = charging.claim("outcome = 'created'")
    charging._submit(attempt)
    paying.record(account_id=owner.pk, currency="USD", amount=Decimal(amount), method="bank_transfer", reference="b",
                  received_on=DUE, actor=FIN)  # fmt: skip
    charging.send(attempt)
    ChargeAttempt.objects.update(run_after="2026-01-01T00:00:00Z")
    reconciling.reconcile_waiting()
    return Payment.objects.get(method="card")


def sound() -> bool:
    return [one.name for one in invariants.collect() if not invariants.check(one).holds] == []


def balance(ledger_account: str) -> Decimal:
    return sum(LedgerEntry.objects.filter(ledger_account=ledger_account).values_list("amount", flat=True), Decimal(0))


def test_goes_back_and_is_posted_once() -> None:
    payment = overpaid()
    asked = refunding.request(payment.pk, amount=Decimal(120), reason="Paid twice", actor=FIN)
    assert sound(), "while it is under way"
    assert (refunding.refund_waiting(), refunding.refund_waiting()) == (1, 0)
    asked.refresh_from_db()
    payment.refresh_from_db()
    assert (asked.outcome, payment.refunded, balance("unapplied"), balance("cash")) == ("succeeded", 120, -180, 480)
    assert sandbox.from_settings().refunds() == [(asked.key, 120)]
    assert sound()


def test_without_an_answer_is_asked_about_with_the_same_key() -> None:
    payment = overpaid("tok_timeout_after")
    asked = refunding.request(payment.pk, amount=Decimal(50), reason="Paid twice", actor=FIN)
    refunding.refund_waiting()
    asked.refresh_from_db()
    assert asked.outcome == "unknown" and balance("cash") == 600
    assert sound()
    Refund.objects.update(run_after="2026-01-01T00:00:00Z")
    refunding.refund_waiting()
    asked.refresh_from_db()
    assert (asked.outcome, balance("cash")) == ("succeeded", 550)
    assert len(sandbox.from_settings().refunds()) == 1


def test_declined_is_left_on_the_payment() -> None:
    payment = overpaid()
    sandbox.from_settings().refund(key="by hand", charge_id=payment.reference, amount=Decimal(290), currency="USD")
    asked = refunding.request(payment.pk, amount=Decimal(50), reason="Paid twice", actor=FIN)
    refunding.refund_waiting()
    asked.refresh_from_db()
    payment.refresh_from_db()
    assert (asked.outcome, asked.decline_code, payment.refunded) == ("declined", "charge_already_refunded", 0)
    assert sound()


class TestASecondPerson:
    def test_decides_above_the_limit(self) -> None:
        payment = overpaid()
        asked = refunding.request(payment.pk, amount=Decimal("100.01"), reason="Paid twice", actor=COL)
        assert (asked.outcome, refunding.refund_waiting()) == ("requested", 0)
        with pytest.raises(Refused):
            refunding.approve(asked.pk, actor=COL)
        assert refunding.approve(asked.pk, actor=FIN).outcome == "created"
        assert refunding.approve(asked.pk, actor=FIN).outcome == "created"
        assert refunding.refund_waiting() == 1
        assert sound()

    def test_is_never_the_first(self) -> None:
        payment = overpaid(amount="2000")
        asked = refunding.request(payment.pk, amount=Decimal(1001), reason="Paid twice", actor=FIN)
        with pytest.raises(Refused, match="You asked"):
            refunding.approve(asked.pk, actor=FIN)

    def test_may_refuse_it(self) -> None:
        payment = overpaid()
        asked = refunding.request(payment.pk, amount=Decimal(200), reason="Paid twice", actor=COL)
        assert refunding.refuse(asked.pk, actor=FIN, reason="no").outcome == "refused"
        with pytest.raises(Conflict):
            refunding.approve(asked.pk, actor=FIN)
        payment.refresh_from_db()
        assert payment.refunded == 0


@pytest.mark.parametrize("amount", ["300.01", "0", "-1", "1.001", "NaN"])
def test_is_no_more_than_lies_unapplied(amount: str) -> None:
    payment = overpaid()
    with pytest.raises(Invalid):
        refunding.request(payment.pk, amount=Decimal(amount), reason="x", actor=FIN)


def test_is_refused_where_it_cannot_be() -> None:
    payment = overpaid()
    bank = Payment.objects.get(method="bank_transfer")
    with pytest.raises(Conflict, match="through a gateway"):
        refunding.request(bank.pk, amount=Decimal(1), reason="x", actor=FIN)
    with pytest.raises(Refused):
        refunding.request(payment.pk, amount=Decimal(1), reason="x", actor="user:support@example.com")
    with pytest.raises(Invalid):
        refunding.request(payment.pk, amount=Decimal(1), reason=" ", actor=FIN)


def test_and_a_chargeback_never_return_more_than_came_in() -> None:
    payment = overpaid()
    refunding.request(payment.pk, amount=Decimal(100), reason="Paid twice", actor=FIN)
    with pytest.raises(Invalid, match="At most"):
        charging_back.record(payment.pk, reference="d", amount=Decimal(201), reason="x", taken_on=DUE, actor=FIN)
    charging_back.record(payment.pk, reference="d", amount=Decimal(200), reason="x", taken_on=DUE, actor=FIN)
    refunding.refund_waiting()
    assert sound()


@pytest.mark.parametrize(("statement", "because"), [
    ("update collections_refund set amount = 1", "never changes"),
    ("update collections_refund set outcome = 'succeeded', gateway_refund_id = 're_1'", "cannot go from"),
    ("delete from collections_refund", "kept for ever"),
    ("update collections_payment set refunded = refunded + 1 where method = 'card'", "says"),
    ("update collections_refund set decided_by = requested_by", "second_person"),
])  # fmt: skip
def test_the_database_refuses(statement: str, because: str) -> None:
    payment = overpaid()
    refunding.request(payment.pk, amount=Decimal(100), reason="Paid twice", actor=FIN)
    with pytest.raises(DatabaseError, match=because), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('vault.actor', 'user:mallory@example.com', true)")
        cursor.execute(statement)
        cursor.execute("set constraints all immediate")


SETUP = """
from decimal import Decimal
from collections_ import refunding
from core import audit
from accounts.models import User
with audit.acting('system:test'):
    User.objects.create_user('finance@example.com', 'secret words', name='Fin', role='finance')
from tests.collections_ import factories
from collections_ import charging
from collections_.models import Payment
owner = factories.account('acme')
factories.card(owner, 'tok_captures_twice')
attempt = charging.pay_now(factories.invoice(owner).pk, actor='user:finance@example.com', as_of=factories.DUE)
from collections_ import reconciling
from collections_.gateways import sandbox
captured = sandbox.from_settings().captures()[0].charge_id
reconciling.resolve(attempt.pk, charge_id=captured, note='x', actor='user:finance@example.com')
refunding.request(Payment.objects.get().pk, amount=Decimal('75.85'), reason='x', actor='user:finance@example.com')
"""
WORK = "from collections_ import refunding; refunding.refund_waiting()"


@pytest.mark.parametrize("point", ["refund.before_gateway", "refund.after_gateway", "refund.before_commit"])
def test_a_worker_that_is_killed_refunds_once(world: World, point: str) -> None:
    run = lambda code, **env: world.manage("shell", "-v0", "-c", code, check=False, **env).returncode  # noqa: E731
    assert run(SETUP) == 0
    assert run(WORK, VAULT_FAILPOINTS=f"{point}=kill") == -signal.SIGKILL
    world.sql("update collections_refund set lease_until = now() - interval '1 s'")
    assert run(WORK) == 0
    assert world.sql("select outcome from collections_refund") == [("succeeded",)]
    assert [amount for _, amount in SandboxGateway(world.home / "sandbox-gateway.sqlite3").refunds()] == [
        Decimal("75.85")
    ]
    assert world.sql("select count(*) from billing_ledgertransaction where source_type = 'refund'") == [(1,)]
    assert run("import sys; from django.core.management import call_command; call_command('verify')") == 0


def test_the_pages_ask_and_decide(agent: Client) -> None:
    payment = overpaid()
    page = agent.get(f"/payments/{payment.pk}/refund/").content.decode()
    assert "300.00" in page and "100.00" in page, "what is left, and what the agent may do alone"
    form = {"amount": "150", "reason": "Paid twice"}
    assert "Only" in agent.post(f"/payments/{payment.pk}/refund/", form | {"amount": "301"}).content.decode()
    page = agent.post(f"/payments/{payment.pk}/refund/", form, follow=True).content.decode()
    assert "somebody of finance decides" in page and "Paid twice" in page
    asked = Refund.objects.get()
    assert agent.post(f"/payments/refunds/{asked.pk}/approve/").status_code == 403
    finance = Client()
    finance.force_login(User.objects.get(email=FIN.removeprefix("user:")), backend=BACKEND)
    page = finance.get(f"/payments/{payment.pk}/").content.decode()
    assert f"/payments/refunds/{asked.pk}/approve/" in page
    page = finance.post(f"/payments/refunds/{asked.pk}/approve/", follow=True).content.decode()
    assert "goes back" in page
    refunding.refund_waiting()
    asked.refresh_from_db()
    assert asked.outcome == "succeeded"
