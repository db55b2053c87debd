"""kill -9 of a worker in the middle of a charge: whatever the moment, one capture, one payment, one posting."""

import signal
from decimal import Decimal

import pytest

from collections_.gateways.sandbox import Capture, SandboxGateway
from tests.world import World

SETUP = """
from tests.collections_ import factories
from collections_ import charging
owner = factories.account('acme')
factories.card(owner, '{token}')
charging.request(factories.invoice(owner).pk, actor='user:ada@example.com', as_of=factories.DUE)
"""
POINTS = ["charge.before_gateway", "charge.after_gateway", "charge.before_commit"]
ATTEMPT = "select outcome, attempts, key from collections_chargeattempt"


def run(world: World, code: str, **env: str) -> int:
    """Run ``code`` in a process of its own, as a worker would run a task; return how it ended."""
    return world.manage("shell", "-v0", "-c", code, check=False, **env).returncode


def captures(world: World) -> list[Capture]:
    return SandboxGateway(world.home / "sandbox-gateway.sqlite3").captures()


def pass_the_lease(world: World) -> None:
    """Let the time pass after which a dead worker's lease ends, or an unknown charge is asked about."""
    world.sql("update collections_chargeattempt set lease_until = now() - interval '1 s' where state = 'leased'")
    world.sql("update collections_chargeattempt set run_after = now() - interval '1 s'")


def settled_once(world: World) -> None:
    """The journal of the gateway and the books tell the same story, once."""
    (outcome, _, key), *others = world.sql(ATTEMPT)
    assert (outcome, others) == ("succeeded", [])
    assert [(capture.key, str(capture.amount)) for capture in captures(world)] == [(key, "75.85")]
    assert world.sql("select amount, applied from collections_payment") == [(Decimal("75.85"),) * 2]
    assert world.value("select count(*) from billing_ledgertransaction where kind = 'capture'") == 1
    assert world.value("select count(*) from billing_ledgertransaction where kind = 'allocate'") == 1
    assert world.sql("select status, payment_status from billing_invoice") == [("paid", "paid")]
    world.manage("verify")


@pytest.mark.parametrize("point", POINTS)
def test_a_charge_killed_anywhere_is_charged_once(world: World, point: str) -> None:
    assert run(world, SETUP.format(token="tok_ok")) == 0
    died = run(world, "from collections_ import tasks; tasks.charge()", VAULT_FAILPOINTS=f"{point}=kill")
    assert died == -signal.SIGKILL
    assert world.sql(ATTEMPT)[0][:2] == ("submitting", 1)
    assert len(captures(world)) == (0 if point == "charge.before_gateway" else 1)
    assert world.value("select count(*) from collections_payment") == 0

    assert run(world, "from collections_ import tasks; tasks.charge(); tasks.reconcile()") == 0
    assert world.sql(ATTEMPT)[0][0] == "submitting", "somebody else's lease was broken"
    pass_the_lease(world)
    assert run(world, "from collections_ import tasks; tasks.charge(); tasks.reconcile()") == 0
    settled_once(world)


@pytest.mark.parametrize("point", POINTS)
def test_the_reconciler_may_be_killed_too(world: World, point: str) -> None:
    assert run(world, SETUP.format(token="tok_timeout_before")) == 0
    assert run(world, "from collections_ import tasks; tasks.charge()") == 0
    assert world.sql(ATTEMPT)[0][:2] == ("unknown", 0)
    pass_the_lease(world)
    died = run(world, "from collections_ import tasks; tasks.reconcile()", VAULT_FAILPOINTS=f"{point}=kill")
    assert died == -signal.SIGKILL
    pass_the_lease(world)
    assert run(world, "from collections_ import tasks; tasks.reconcile()") == 0
    settled_once(world)


def test_a_charge_that_kills_every_worker_ends_with_a_person(world: World) -> None:
    assert run(world, SETUP.format(token="tok_ok")) == 0
    poison = {"VAULT_FAILPOINTS": "charge.before_commit=kill"}
    for _ in range(5):
        run(world, "from collections_ import tasks; tasks.charge(); tasks.reconcile()", **poison)
        pass_the_lease(world)
    assert run(world, "from collections_ import tasks; tasks.reconcile()", **poison) == 0
    assert world.sql(ATTEMPT)[0][0] == "manual"
    assert world.value("select payment_status from billing_invoice") == "unknown"
    attempt = world.value("select id from collections_chargeattempt")
    asked = f"from collections_ import reconciling; reconciling.ask_now({attempt}, actor='user:eve@example.com')"
    assert run(world, asked) == 0
    settled_once(world)


def test_workers_in_a_cluster_finish_what_a_killed_one_began(world: World) -> None:
    marker = world.home / "killed"
    assert run(world, SETUP.format(token="tok_ok")) == 0
    world.start("cluster", "money", VAULT_FAILPOINTS=f"charge.after_gateway=kill-once:{marker}")
    world.wait_until(marker.exists, 40, "the worker to be killed")
    assert len(captures(world)) == 1
    pass_the_lease(world)
    world.start("clock")
    paid = "select count(*) from billing_invoice where status = 'paid'"
    world.wait_until(lambda: world.value(paid), 60, "another worker to finish the charge")
    settled_once(world)
