"""kill -9 in the middle of a run, with real processes: it goes on and ends with the same bytes and no gap."""

import signal
from pathlib import Path

import pytest

from tests.world import World

SETUP = """
from tests import factories
from tests.factories import OCTOBER, account, ran, use
from billing import crediting, running
from decimal import Decimal
from datetime import timedelta
factories.staff()
for number in range(12):
    code = f'a{number:02}'
    owner = account(code, region='DC')
    use(ran(f'w{number}', 'standard-2x', OCTOBER.start + timedelta(hours=number), None, code))
    if number % 3 == 0:
        crediting.request(owner.pk, Decimal(10), reason='welcome', actor=factories.ADA)
running.open_run(OCTOBER, actor=factories.ADA, shard_accounts=4)
"""
DRAFT = "from billing import tasks; tasks.draft()"
ISSUE = "from billing import tasks; tasks.issue()"
APPROVE = """
from billing import approving, issuing
from billing.models import Run
from tests import factories
approving.approve(Run.objects.get().pk, actor=factories.GRACE)
issuing.start(Run.objects.get().pk, actor=factories.GRACE, issue_date=factories.ISSUED_ON)
"""
BYTES = """
select a.code, i.number, i.status, i.subtotal, i.credits, i.tax, i.total, i.content_hash, i.due_on, i.bill_to::text
from billing_invoice i join accounts_account a on a.id = i.account_id order by a.code
"""


def run(world: World, code: str, **env: str) -> int:
    """Run ``code`` in a process of its own, as a worker would run a task; return how it ended."""
    done = world.manage("shell", "-v0", "-c", code, check=False, **env)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def pass_the_leases(world: World) -> None:
    """Let the time pass after which a dead worker's lease ends."""
    world.sql("update billing_runshard set lease_until = now() - interval '1 s' where state = 'leased'")


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, list[tuple[object, ...]]]:
    """Kept between the tests: the bytes of a run that nobody killed."""
    return {}


def same_as_undisturbed(world: World, kept: dict[str, list[tuple[object, ...]]]) -> None:
    found = world.sql(BYTES)
    assert len(found) == 12
    assert [row[1] for row in found] == [f"VAULT-2026-{number:06}" for number in range(1, 13)]
    assert found == kept.setdefault("bytes", found), "every run ends with the same bytes, wherever it was killed"
    assert world.value("select state from billing_run") == "closed"
    assert world.value("select count(*) from billing_ledgertransaction") == 12
    assert world.value("select count(*) from core_outboxmessage where topic = 'billing.invoices_issued'") == 3
    assert world.value("select last from billing_numberseries where kind = 'invoice'") == 12
    world.manage("verify")


def test_nobody_killed(world: World, undisturbed: dict[str, list[tuple[object, ...]]]) -> None:
    run(world, "\n".join([SETUP, DRAFT, APPROVE, ISSUE]))
    same_as_undisturbed(world, undisturbed)


@pytest.mark.parametrize("point", ["draft.before_write", "draft.before_commit"])
def test_killed_while_drafting(world: World, undisturbed: dict[str, list[tuple[object, ...]]], point: str) -> None:
    assert run(world, SETUP) == 0
    assert run(world, DRAFT, VAULT_FAILPOINTS=f"{point}=kill") == -signal.SIGKILL
    assert world.value("select count(*) from billing_invoice") == 0, "nothing half is seen"
    assert world.sql("select state, attempts from billing_runshard order by number")[0] == ("leased", 1)
    assert run(world, DRAFT) == 0
    assert world.value("select count(*) from billing_invoice") == 8, "the dead worker's lease is respected"
    pass_the_leases(world)
    assert run(world, DRAFT) == 0
    assert world.value("select state from billing_run") == "review"
    assert run(world, APPROVE + "\n" + ISSUE) == 0
    same_as_undisturbed(world, undisturbed)


@pytest.mark.parametrize("point", ["issue.before_number", "issue.before_commit"])
def test_killed_while_issuing(world: World, undisturbed: dict[str, list[tuple[object, ...]]], point: str) -> None:
    assert run(world, SETUP + "\n" + DRAFT + "\n" + APPROVE) == 0
    assert run(world, ISSUE, VAULT_FAILPOINTS=f"{point}=kill") == -signal.SIGKILL
    assert world.value("select count(*) from billing_invoice where number is not null") == 0
    assert world.value("select count(*) from billing_ledgerentry") == 0
    assert run(world, ISSUE) == 0
    assert world.value("select count(*) from billing_invoice where number is not null") == 0, "numbers keep their order"
    pass_the_leases(world)
    assert run(world, ISSUE) == 0
    same_as_undisturbed(world, undisturbed)


def test_killed_between_the_last_shard_and_the_next_step(world: World) -> None:
    """The worker dies after its commit, before the run is moved on: the sweep does it."""
    assert (
        run(world, SETUP + "\nfrom billing import drafting, running\nrunning.advance_all = lambda: None\n" + DRAFT) == 0
    )
    assert world.value("select state from billing_run") == "drafting"
    assert run(world, "from billing import tasks; tasks.sweep_runs()") == 0
    assert world.value("select state from billing_run") == "review"


def test_a_worker_that_slept_past_its_lease_writes_nothing(world: World) -> None:
    assert run(world, SETUP) == 0
    world.start("shell", "-v0", "-c", DRAFT, name="sleeper", VAULT_FAILPOINTS="draft.before_write=sleep:4")
    world.wait_until(lambda: world.value("select count(*) from billing_runshard where state = 'leased'") == 1)
    pass_the_leases(world)
    assert run(world, DRAFT) == 0
    assert world.value("select state from billing_run") == "review"
    before = world.sql("select id, content_hash from billing_invoice order by id")
    world.wait_until(lambda: "taken over" in world.log("sleeper") or "no longer" in world.log("sleeper"), 30)
    assert world.sql("select id, content_hash from billing_invoice order by id") == before
    world.manage("verify")


def test_a_worker_of_the_queue_is_killed_and_its_cluster_goes_on(world: World, tmp_path: Path) -> None:
    """The queue's own worker dies once in its transaction; a sweep rings again and the same cluster finishes."""
    run(world, SETUP)
    marker = tmp_path / "killed"
    world.start("cluster", "money", VAULT_FAILPOINTS=f"draft.before_commit=kill-once:{marker}")
    world.wait_until(marker.exists, 60, "the worker to be killed")
    drafted = "select count(*) from billing_runshard where state = 'done'"
    world.wait_until(lambda: world.value(drafted) == 2, 60, "the other shards")
    pass_the_leases(world)
    run(world, "from billing import tasks; tasks.sweep_runs()")
    world.wait_until(lambda: world.value("select state from billing_run") == "review", 60, "the review")
    assert world.value("select count(*) from billing_invoice") == 12
    world.manage("verify")
