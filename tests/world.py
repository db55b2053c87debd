"""Real processes of Vault around a database of their own, for tests that kill them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.processes import Program, bury, spawn

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = ("DATABASE_URL", "USAGE_DATABASE_URL", "REDIS_URL", "EMAIL_URL", "VAULT_FAILPOINTS", "Q_CLUSTER_NAME")


@dataclass
class World:
    """One Vault: start programs in it, run commands against it, ask its database.

    The database is a copy of the migrated test database and is committed to; Django's ORM in the test process
    still talks to the test's own database, so ask with ``sql`` or by a command.
    """

    home: Path
    database_url: str
    started: list[tuple[Program, subprocess.Popen[bytes]]] = field(default_factory=list)

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment of this world's processes."""
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        own = {"DATABASE_URL": self.database_url, "VAULT_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        return inherited | own | extra

    def manage(
        self, *arguments: str, given: str = "", seconds: float = 120, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; with ``check``, fail the test with its output when it does not end well."""
        self.home.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(**env),
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert not check or done.returncode == 0, (
            f"{arguments} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done

    def start(self, *arguments: str, name: str = "", **env: str) -> subprocess.Popen[bytes]:
        """Start a command that keeps running; its output goes to the log of its name. It ends with the test."""
        program = Program(
            name or arguments[0],
            (sys.executable, str(ROOT / "manage.py"), *arguments),
            env=self.environment(**env),
            log=self.home / "log" / f"{name or arguments[0]}.log",
        )
        process = spawn(program)
        self.started.append((program, process))
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9 of a started command with everything below it, as a power cut would."""
        bury(process)

    def log(self, name: str) -> str:
        """Return what a started command has written so far."""
        file = self.home / "log" / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, *parameters: Any) -> Any:
        """Return the first column of the first row; None when there is none."""
        rows = self.sql(statement, *parameters)
        return rows[0][0] if rows else None

    def wait_until(self, true: Callable[[], Any], seconds: float = 120, what: str = "") -> None:
        """Wait until ``true()``; fail the test, with every log, when ``seconds`` pass first."""
        deadline = time.monotonic() + seconds
        while not true():
            logs = "\n".join(f"--- {program.name}\n{self.log(program.name)[-3000:]}" for program, _ in self.started)
            assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what or true}\n{logs}"
            time.sleep(0.1)

    def end(self) -> None:
        """Kill whatever still runs; nothing here has anything to lose."""
        for _, process in self.started:
            bury(process)


def below(pid: int, title: str = "") -> list[psutil.Process]:
    """Return the living processes below ``pid`` whose command line holds ``title``."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child for child in psutil.Process(pid).children(recursive=True) if title in command_line(child)]
    return []


def command_line(process: psutil.Process) -> str:
    """Return a process's command line or title; empty when it has just ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def all_gone(pids: list[int], seconds: float = 20) -> bool:
    """Wait until none of ``pids`` lives (a zombie is dead); say whether they went in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not list(_living(pids)):
            return True
        time.sleep(0.1)
    return False


def _living(pids: list[int]) -> Iterator[int]:
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                yield pid


def kill_9(pid: int) -> None:
    """kill -9 of one process."""
    os.kill(pid, signal.SIGKILL)
