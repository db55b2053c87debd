"""Acknowledged is stored, once: told by checkers outside, while web processes, workers and PostgreSQL are killed -9.

``--minutes N`` lets the storm last; see docs/usage.md, "How we know".
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.witness import judging
from tests.witness.judging import Notes
from tests.witness.plant import FORGETS, Plant, plant
from tests.witness.reporter import ACCOUNTS, event
from tests.world import ROOT, kill_9

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("embedded")]
MONTH = "2026-10"
CAREFUL = ("dynos", "routers", "databases")
CARELESS = "addons"
SETUP = f"""
from tests import factories
factories.staff()
for number in range({ACCOUNTS}):
    factories.account(f'account-{{number}}')
"""
COLUMNS = """
import json
from core import clock
from core.periods import Month
from insights import reconciliation
from usage.models import Source
sources = list(Source.objects.filter(name__in=NAMES))
found = reconciliation.reconcile(sources, Month(2026, 10).span, now=clock.database_now())
print(json.dumps([
    [row.source, row.hour.isoformat()[:13], row.meter, row.state, [one.kind for one in row.differences],
     [[column.events, str(column.quantity)] if column else None for column in row.columns().values()]]
    for row in found.rows
]))
"""


class Checkers:
    """The reporters as processes of their own, beside the plant."""

    def __init__(self, plant: Plant, folder: Path) -> None:
        self.plant, self.folder, self.stop = plant, folder, folder / "stop"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, source: str, *options: str) -> None:
        secret = self.plant.manage("create_source", source, "--past-days", "3650").stdout.splitlines()[-1]
        command = [sys.executable, str(ROOT / "tests/witness/reporter.py"), "--source", source, "--month", MONTH]
        command += ["--port", str(self.plant.port), "--notes", str(self.notes(source)), "--stop", str(self.stop)]
        self.notes(source).touch()
        environment = {"SOURCE_SECRET": secret}
        self.processes[source] = subprocess.Popen([*command, *options], env=environment)

    def notes(self, source: str) -> Path:
        return self.folder / f"{source}.notes"

    def finish(self, seconds: float = 60) -> None:
        """Let them report what is still under way and end."""
        self.stop.touch()
        for process in self.processes.values():
            assert process.wait(seconds) == 0

    def read(self) -> dict[str, Notes]:
        return {source: judging.read(source, self.notes(source)) for source in self.processes}

    def kill(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def checkers(tmp_path: Path) -> Iterator[Callable[..., Checkers]]:
    """Make plants with their checkers; everything ends with the test."""
    made: list[Checkers] = []

    def make(*server_options: str) -> Checkers:
        made.append(Checkers(plant(tmp_path, *server_options), tmp_path))
        made[-1].plant.begin()
        return made[-1]

    yield make
    for one in made:
        one.kill()
        one.plant.end()


def one_of(name: str) -> Callable[[Plant, random.Random], None]:
    """kill -9 of one process below a part: a web worker, a backend in the middle of a statement, a task's process."""

    def blow(plant: Plant, chance: random.Random) -> None:
        if found := plant.children(name):
            kill_9(chance.choice(found).pid)

    return blow


def whole(name: str) -> Callable[[Plant, random.Random], None]:
    return lambda plant, chance: plant.fell(name)


BLOWS = (
    whole("postgres"), whole("web"), whole("money"), one_of("postgres"), one_of("web"), one_of("money"),
)  # fmt: skip


def storm(plant: Plant, seconds: float) -> int:
    """Kill one thing after another, each as soon as the last one is mended; return how often PostgreSQL went."""
    chance, until, felled = random.Random(20261124), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for blow in chance.sample(BLOWS, len(BLOWS)):
            time.sleep(chance.uniform(0.2, 1.5))
            blow(plant, chance)
            felled += "postgres" not in plant.running
            plant.mend()
    return felled


def rows(plant: Plant) -> list[judging.Row]:
    with psycopg.connect(plant.database_url) as connection:
        return connection.execute(judging.STORED).fetchall()


def columns(plant: Plant) -> list[Any]:
    asked = plant.manage("shell", "--no-imports", "-c", COLUMNS.replace("NAMES", repr(CAREFUL)))
    found: list[Any] = json.loads(asked.stdout)
    return found


def test_acknowledged_is_stored_once_whatever_is_killed(
    checkers: Callable[..., Checkers], request: pytest.FixtureRequest
) -> None:
    sent = checkers()
    world = sent.plant
    world.manage("shell", "-v0", "-c", SETUP)
    for source in CAREFUL:
        sent.start(source)
    sent.start(CARELESS, "--careless")
    felled = storm(world, 60 * request.config.getoption("--minutes"))
    sent.finish()
    world.fell("money")  # as the watchdog, which has tests of its own, does to a cluster that a kill has left deaf
    world.mend()
    notes = sent.read()
    stored = rows(world)

    for one in notes.values():
        print(f"{one.source}: {len(one.made)} made, {len(one.acknowledged)} acknowledged in {one.answered} answers,")
        print(f"    {one.unanswered} batches without an answer, {len(one.given_up)} events given up")
        assert judging.faults(one, stored) == []
        assert one.done and one.acknowledged | one.given_up == set(one.made)
    assert felled and sum(one.unanswered for one in notes.values()), "the storm must have been felt"
    world.wait_until(lambda: world.value("select count(*) from usage_unpaired") == 0, 100, "pairing in the background")

    world.manage("close_month", MONTH, "--approve-as", "grace@example.com", "--issue-date", "2026-11-02", seconds=120)
    expected = judging.counted([notes[source] for source in CAREFUL])
    found = columns(world)
    assert {(source, hour, meter) for source, hour, meter, *_ in found} >= set(expected)
    for source, hour, meter, state, differences, five in found:
        events, quantity = expected.get((source, hour, meter), (0, 0))  # an hour without events is stated too
        assert (state, differences) == ("agrees", []), (source, hour, meter, five)
        assert {(count, float(total)) for count, total in five} == {(events, float(quantity))}, (source, hour, meter)
    assert world.value("select state from billing_run") == "closed"
    world.manage("verify")


def test_a_server_that_answers_before_it_is_durable_is_found_out(checkers: Callable[..., Checkers]) -> None:
    """The negative control: PostgreSQL says "committed" before the commit is on the disk, and is killed."""
    sent = checkers(*FORGETS)
    world = sent.plant
    sent.start(CAREFUL[0], "--careless")
    world.wait_until(lambda: sum(one.answered for one in sent.read().values()) > 5, what="some answers")
    for name in ("web", "postgres"):
        world.fell(name)
    sent.finish()
    world.mend()
    (notes,) = sent.read().values()
    found = judging.faults(notes, rows(world))
    assert any("acknowledged and is lost" in fault for fault in found), found


class TestJudging:
    """The negative control of the verdict itself: each kind of fault is told from none."""

    @pytest.fixture
    def notes(self, tmp_path: Path) -> Notes:
        from datetime import UTC, datetime

        made = [event("dynos", number, datetime(2026, 10, 1, tzinfo=UTC)) for number in range(4)]
        file = tmp_path / "notes"
        lines = [*({"made": one} for one in made), {"acknowledged": [one["id"] for one in made[:3]]}, {"done": True}]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return judging.read("dynos", file)

    @pytest.fixture
    def stored(self, notes: Notes) -> list[judging.Row]:
        return [judging.as_row("dynos", said) for said in notes.made.values()]

    def test_finds_nothing_where_nothing_is_wrong(self, notes: Notes, stored: list[judging.Row]) -> None:
        assert judging.faults(notes, stored) == []
        assert judging.faults(notes, stored[:3]) == [], "what was not acknowledged may be missing"

    def test_finds_the_lost_the_doubled_the_altered_and_the_foreign(
        self, notes: Notes, stored: list[judging.Row]
    ) -> None:
        assert "dynos/0 was acknowledged and is lost" in judging.faults(notes, stored[1:])
        assert "dynos/3 is stored 2 times" in judging.faults(notes, [*stored, stored[3]])
        altered = [*stored[:2], (*stored[2][:-1], stored[2][-1] + 1), stored[3]]
        assert "stored as" in judging.faults(notes, altered)[0]
        foreign = [*stored, ("dynos", "x", *stored[0][2:])]
        assert "x is stored and was never sent" in judging.faults(notes, foreign)

    def test_hears_a_wrong_answer(self, notes: Notes, stored: list[judging.Row]) -> None:
        notes.wrong.append({"wrong": "500 for 3 good events"})
        assert "500" in judging.faults(notes, stored)[0]
