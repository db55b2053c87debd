"""What a gateway tells us: signed, stored once as it came, handled by asking it again; a late one undoes nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from billing.models import Invoice
from collections_ import charging, receiving
from collections_.gateways import sandbox, signing
from collections_.models import ChargeAttempt, Chargeback, GatewayEvent, Payment
from core import clock
from monitoring import invariants
from tests.collections_ import factories
from tests.collections_.factories import DUE

pytestmark = pytest.mark.django_db(transaction=True)


def charged(token: str) -> ChargeAttempt:
    owner = factories.account("acme")
    factories.card(owner, token)
    return charging.pay_now(factories.invoice(owner).pk, actor="user:ada@example.com", as_of=DUE)


def tell(kind: str, about: str, identity: str = "evt_1", **other: object) -> int:
    """Send one event as the sandbox does; return the answer's status."""
    body = signing.event(identity, kind, about)
    at = int(clock.now().timestamp())
    signature = str(other.get("signature", signing.sign(body, at=at)))
    sent = other.get("body", body)
    answer = Client(enforce_csrf_checks=True).post(
        "/webhooks/sandbox", sent, content_type="application/json", headers={signing.HEADER: signature}
    )
    return answer.status_code


def handled() -> GatewayEvent:
    receiving.handle_waiting()
    return GatewayEvent.objects.latest("pk")


def test_settles_a_charge_whose_answer_was_lost_at_once() -> None:
    attempt = charged("tok_timeout_after")
    assert attempt.outcome == "unknown"
    assert tell("charge.settled", attempt.key) == 200
    assert (handled().outcome, Payment.objects.count()) == ("asked again: succeeded", 1)
    assert Invoice.objects.get().status == "paid"


def test_is_stored_once_and_handled_once_however_often_it_comes() -> None:
    attempt = charged("tok_timeout_after")
    assert {tell("charge.settled", attempt.key) for _ in range(3)} == {200}
    assert GatewayEvent.objects.count() == 1
    handled()
    assert tell("charge.settled", attempt.key) == 200
    assert receiving.handle_waiting() == 0
    assert tell("charge.settled", attempt.key, "evt_2") == 200
    assert handled().outcome == "known already: succeeded"
    assert Payment.objects.count() == 1


def test_a_dispute_becomes_a_chargeback_once() -> None:
    attempt = charged("tok_ok")
    dispute = sandbox.from_settings().take_back(attempt.gateway_charge_id, Decimal(50))
    for number in range(2):
        assert tell("dispute.opened", dispute, f"evt_{number}") == 200
        assert handled().outcome == "recorded as a chargeback"
    made = Chargeback.objects.get()
    assert (made.reference, made.amount, Invoice.objects.get().outstanding) == (dispute, 50, 50)
    event = GatewayEvent.objects.earliest("pk")
    receiving.replay(event.pk)
    assert receiving.handle_waiting() == 1 and Chargeback.objects.count() == 1
    assert [one.name for one in invariants.collect() if not invariants.check(one).holds] == []


def test_a_dispute_of_a_charge_that_is_not_known_yet_waits_for_it() -> None:
    attempt = charged("tok_timeout_after")
    (captured,) = sandbox.from_settings().captures()
    tell("dispute.opened", sandbox.from_settings().take_back(captured.charge_id))
    event = handled()
    assert (event.state, event.outcome) == ("ready", "")
    tell("charge.settled", attempt.key, "evt_2")
    receiving.handle_waiting()
    GatewayEvent.objects.update(run_after=clock.now() - timedelta(days=1))
    receiving.handle_waiting()
    assert Chargeback.objects.get().amount == Decimal("75.85")


@pytest.mark.parametrize(("kind", "about", "outcome"), [
    ("charge.settled", "nobody's", "no charge of ours"), ("dispute.opened", "dp_x", "the gateway knows of no such"),
    ("payout.paid", "po_1", "nothing to do for payout.paid")])  # fmt: skip
def test_what_is_nothing_to_us_is_kept_and_left_alone(kind: str, about: str, outcome: str) -> None:
    assert tell(kind, about) == 200
    event = handled()
    assert event.state == "done" and event.outcome.startswith(outcome)


def test_a_dispute_of_somebody_elses_charge_is_left_alone() -> None:
    sandbox.from_settings().charge(key="k", amount=Decimal(5), currency="USD", token="tok_ok", description="")
    (captured,) = sandbox.from_settings().captures()
    tell("dispute.opened", sandbox.from_settings().take_back(captured.charge_id))
    assert handled().outcome == "no payment of ours has this charge"


def test_only_the_gateways_own_signature_opens_the_door() -> None:
    body = signing.event("evt_1", "charge.settled", "k")
    now = int(clock.now().timestamp())
    for wrong in ("", "t=1", f"t={now},v1=00", signing.sign(b"another", at=now), f"t=x,v1={'0' * 64}"):
        assert tell("charge.settled", "k", signature=wrong) == 400
    assert tell("charge.settled", "k", signature=signing.sign(body, at=now - signing.TOLERANCE - 5)) == 400
    for unreadable in (b"", b"[]", b"\xff", b'{"id": 1}', b'{"id": "", "kind": "k", "about": "a"}', b"[" * 100_000,
                       b'{"id": "a\\u0000", "kind": "k", "about": "a"}'):  # fmt: skip
        assert tell("x", "y", body=unreadable, signature=signing.sign(unreadable, at=now)) == 400
    big = b" " * (256 * 1024 + 1)
    assert tell("x", "y", body=big, signature=signing.sign(big, at=now)) == 400
    assert Client().post("/webhooks/nobody", b"{}", content_type="application/json").status_code == 404
    assert Client().get("/webhooks/sandbox").status_code == 405
    assert not GatewayEvent.objects.exists()


def test_the_database_keeps_it_as_it_came() -> None:
    tell("charge.settled", "k")
    for statement in ("update collections_gatewayevent set body = '{}'", "delete from collections_gatewayevent"):
        with pytest.raises(DatabaseError, match="stays as it came"), transaction.atomic():
            connection.cursor().execute(statement)
