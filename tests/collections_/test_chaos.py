"""Workers that are killed at random while a gateway loses answers: afterwards the journal and the ledger agree."""

import random
import subprocess
import sys
import time
from decimal import Decimal

from collections_.gateways.sandbox import SandboxGateway
from tests.world import ROOT, World

TOKENS = ["tok_ok", "tok_ok", "tok_timeout_before", "tok_timeout_after", "tok_insufficient_funds", "tok_declines_once"]
POINTS = ["charge.before_gateway", "charge.after_gateway", "charge.before_commit"]
INVOICES = 36
SECONDS = 20
SETUP = f"""
from tests.collections_ import factories
from collections_ import collecting
for number in range({INVOICES}):
    owner = factories.account(f'a{{number}}')
    factories.card(owner, {TOKENS!r}[number % {len(TOKENS)}] + f'/{{number}}')
    factories.invoice(owner, f'{{number + 1}}.37')
collecting.charge_due(factories.DUE)
"""
WORK = "from collections_ import tasks\ntasks.charge()\ntasks.reconcile()"


def worker(world: World, **env: str) -> subprocess.Popen[bytes]:
    """Start one worker's work as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", WORK],
        cwd=ROOT,
        env=world.environment(**env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_every_capture_is_in_the_ledger_once(world: World) -> None:
    chance = random.Random(20261124)
    world.manage("shell", "-v0", "-c", SETUP)
    ends, running = time.monotonic() + SECONDS, []
    while time.monotonic() < ends:
        while len(running) < 3:
            plan = f"{chance.choice(POINTS)}=kill" if chance.random() < 0.6 else ""
            running.append(worker(world, VAULT_FAILPOINTS=plan))
        time.sleep(0.4)
        if chance.random() < 0.4:
            running[0].kill()
        running = [process for process in running if process.poll() is None]
        world.sql(
            "update collections_chargeattempt set lease_until = now() - interval '1 s', attempts = 0,"
            " run_after = now() where state in ('leased', 'ready') and random() < 0.5"
        )
    for process in running:
        process.wait(60)
    world.sql(
        "update collections_chargeattempt set lease_until = now() - interval '1 s', attempts = 0, run_after = now()"
        " where state in ('leased', 'ready')"
    )
    for _ in range(2):
        assert worker(world).wait(120) == 0
        world.sql("update collections_chargeattempt set run_after = now() where state = 'ready'")

    outcomes = dict(world.sql("select outcome, count(*) from collections_chargeattempt group by outcome"))
    assert outcomes == {"succeeded": INVOICES * 4 // 6, "declined": INVOICES * 2 // 6}
    captures = SandboxGateway(world.home / "sandbox-gateway.sqlite3").captures()
    journal = sorted((capture.charge_id, capture.amount) for capture in captures)
    assert journal == sorted(world.sql("select reference, amount from collections_payment"))
    cash = world.value("select sum(amount) from billing_ledgerentry where ledger_account = 'cash'")
    assert cash == sum((capture.amount for capture in captures), Decimal(0))
    world.manage("verify")
