"""The supervisor with real processes: it restarts, stops, and takes everything with it when it dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.processes import Program, bury, spawn
from core.supervisor import Stopped, Supervisor
from tests.world import ROOT, all_gone

pytestmark = pytest.mark.slow
SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
FAMILY = f"import os; child = os.fork(); {SLEEP}"


def python(name: str, script: str, **options: object) -> Program:
    return Program(name, (sys.executable, "-c", script), **options)  # type: ignore[arg-type]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str], tmp_path: Path) -> Iterator[Supervisor]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with Supervisor(said.append, tmp_path / "pids") as supervisor:
        yield supervisor
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_program_that_dies_is_started_again(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    first = supervisor.start(python("web", SLEEP)).pid
    os.kill(first, signal.SIGKILL)
    assert supervisor.watch_until(lambda: supervisor.pid("web") not in {0, first}, seconds=5)
    assert said == ["web was ended by SIGKILL; starting it again in 0.5 s"]
    assert (tmp_path / "pids" / "web.pid").read_text() == str(supervisor.pid("web"))


def test_one_that_dies_at_once_waits_longer_each_time(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(python("web", "raise SystemExit(3)"))
    supervisor.watch_until(lambda: len(said) == 3, seconds=10)
    assert said == [f"web ended with status 3; starting it again in {wait} s" for wait in ("0.5", "1", "2")]


def test_what_a_dead_program_left_running_is_ended(supervisor: Supervisor) -> None:
    process = supervisor.start(python("web", FAMILY))
    assert supervisor.watch_until(lambda: bool(psutil.Process(process.pid).children()), seconds=5)
    child = psutil.Process(process.pid).children()[0].pid
    os.kill(process.pid, signal.SIGKILL)
    supervisor.watch_until(lambda: supervisor.pid("web") not in {0, process.pid}, seconds=5)
    assert all_gone([child])


def test_stop_asks_then_kills_and_leaves_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    processes = [
        supervisor.start(python("polite", SLEEP)),
        supervisor.start(python("stubborn", STUBBORN, stop_seconds=0.5)),
        supervisor.start(python("family", FAMILY)),
    ]
    supervisor.watch_for(0.5)
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 3
    assert [process.returncode for process in processes] == [-signal.SIGTERM, -signal.SIGKILL, -signal.SIGTERM]
    assert list((tmp_path / "pids").iterdir()) == []


def test_what_others_need_stops_last(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = (
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep(float(sys.argv[2])); open(sys.argv[3], 'a').write(sys.argv[1]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); open(sys.argv[3] + sys.argv[1], 'w'); time.sleep(60)"
    )
    for name, takes, last in (("database ", "0", True), ("worker ", "0.5", False)):
        argv = (sys.executable, "-c", script, name, takes, str(order))
        supervisor.start(Program(name, argv, stops_last=last))
    supervisor.watch_until(lambda: len(list(tmp_path.glob("order*"))) == 2, seconds=5)
    supervisor.stop()
    assert order.read_text() == "worker database "


def test_run_keeps_the_others_alive_and_returns_the_status(supervisor: Supervisor) -> None:
    first = supervisor.start(python("web", SLEEP)).pid
    os.kill(first, signal.SIGKILL)
    assert supervisor.run(python("once", "import time; time.sleep(1.5); raise SystemExit(7)")) == 7
    assert supervisor.pid("web") not in {0, first}


def test_a_signal_ends_the_wait(supervisor: Supervisor) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Stopped):
        supervisor.watch_for(5)


def test_kill_9_of_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    script = (
        "import sys; from core.processes import *; from core.supervisor import Supervisor;"
        f"family = 'from core.processes import *; descendants_die_with_their_parents(); {FAMILY}';"
        "supervisor = Supervisor(print).__enter__();"
        f"processes = [supervisor.start(Program('stubborn', (sys.executable, '-c', '''{STUBBORN}''')))];"
        "processes += [supervisor.start(Program('family', (sys.executable, '-c', family)))];"
        "supervisor.watch_for(1); print(*[p.pid for p in processes], flush=True); supervisor.watch_for(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert supervisor.stdout
    pids = [int(pid) for pid in supervisor.stdout.readline().split()]
    pids += [child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)]
    assert len(pids) == 3
    supervisor.kill()
    supervisor.wait()
    assert all_gone(pids)


def test_a_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    log = tmp_path / "log" / "web.log"
    log.parent.mkdir()
    log.write_bytes(b"x" * 20_000_001)
    assert bury_after(spawn(python("web", "print('new')", log=log))) == 0
    assert log.read_text() == "new\n"
    assert log.with_suffix(".previous.log").exists()


def test_a_program_can_be_interrupted_even_if_we_cannot() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # what a shell does to what it starts with &
    try:
        process = spawn(python("web", SLEEP))
    finally:
        signal.signal(signal.SIGINT, before)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    assert bury_after(process) == -signal.SIGINT


def bury_after(process: subprocess.Popen[bytes]) -> int:
    process.wait(10)
    return bury(process)
