"""Keeping programs alive, crash-only: one that dies is started again, after a wait that doubles.

It runs in the main thread of one process and starts no thread, because the kernel ties a child's
parent-death signal to the thread that forked it.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import VaultError
from core.processes import Program, bury, end_all, has_ended, spawn, stop

POLL_SECONDS: Final = 0.2
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 30.0
HEALTHY_SECONDS: Final = 60.0  # a program that lived this long starts again at once


class Stopped(VaultError):
    """Somebody asked the supervisor to stop (Ctrl-C or SIGTERM)."""

    code = "stopped"


@dataclass(slots=True)
class _Running:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    wait: float = FIRST_WAIT_SECONDS


class Supervisor:
    """Runs programs until told to stop; ``say`` gets one line for everything that a person should know.

    ``pid_directory`` receives NAME.pid with each program's process number, so that the watchdog, which is
    another process, can end a program that lives but does nothing; the supervisor then starts it again.
    """

    def __init__(self, say: Callable[[str], None], pid_directory: Path | None = None) -> None:
        self._say = say
        self._pid_directory = pid_directory
        self._children: dict[str, _Running] = {}
        self._stopping = False

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        for stale in self._pid_directory.glob("*.pid") if self._pid_directory else ():
            stale.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, program: Program) -> subprocess.Popen[bytes]:
        """Start ``program`` and keep it running from here on."""
        child = self._children[program.name] = _Running(program)
        return self._start(child)

    def watch_until(self, done: Callable[[], bool], *, seconds: float = float("inf")) -> bool:
        """Keep everything running until ``done()``; return False when ``seconds`` passed first.

        Raise Stopped when somebody asked us to stop.
        """
        deadline = time.monotonic() + seconds
        while not done():
            if self._stopping:
                raise Stopped("Vault was asked to stop.")
            if time.monotonic() > deadline:
                return False
            self._tend(time.monotonic())
            time.sleep(POLL_SECONDS)
        return True

    def watch_for(self, seconds: float) -> None:
        """Keep everything running for ``seconds``; raise Stopped when somebody asked us to stop."""
        self.watch_until(lambda: False, seconds=seconds)

    def run(self, program: Program) -> int:
        """Run one program to its end while the others are kept running; return its exit status."""
        process = spawn(program)
        try:
            self.watch_until(lambda: has_ended(process))
        finally:
            status = stop(process, program)
        return status

    def pid(self, name: str) -> int:
        """Return the process number of the program of this name; 0 while it waits to be started again."""
        process = self._children[name].process
        return process.pid if process is not None and not has_ended(process) else 0

    def stop(self) -> None:
        """Stop every program and wait until all are gone. Repeatable."""
        self._stopping = True
        running = [(child.program, child.process) for child in self._children.values() if child.process is not None]
        end_all([pair for pair in running if not pair[0].stops_last])
        end_all([pair for pair in running if pair[0].stops_last])
        for name in self._children:
            self._forget(name)
        self._children.clear()

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def _start(self, child: _Running) -> subprocess.Popen[bytes]:
        child.started_at = time.monotonic()
        child.process = spawn(child.program)
        if self._pid_directory:
            self._pid_directory.mkdir(parents=True, exist_ok=True)
            (self._pid_directory / f"{child.program.name}.pid").write_text(str(child.process.pid))
        return child.process

    def _tend(self, moment: float) -> None:
        for child in self._children.values():
            if child.process is not None and has_ended(child.process):
                self._bury(child, moment)
            if child.process is None and moment >= child.start_again_at:
                self._start_again(child, moment)

    def _bury(self, child: _Running, moment: float) -> None:
        """Clear away what a dead program left running, and set when it starts again."""
        if child.process is None:
            return
        status = bury(child.process)
        if moment - child.started_at >= HEALTHY_SECONDS:
            child.wait = FIRST_WAIT_SECONDS
        self._say(f"{child.program.name} {_how(status)}; starting it again in {child.wait:g} s")
        child.process, child.start_again_at = None, moment + child.wait
        child.wait = min(child.wait * 2, LONGEST_WAIT_SECONDS)

    def _start_again(self, child: _Running, moment: float) -> None:
        try:
            self._start(child)
        except (OSError, VaultError) as error:
            self._say(f"{child.program.name} did not start: {error}")
            child.start_again_at = moment + child.wait
            child.wait = min(child.wait * 2, LONGEST_WAIT_SECONDS)

    def _forget(self, name: str) -> None:
        if self._pid_directory:
            (self._pid_directory / f"{name}.pid").unlink(missing_ok=True)


def _how(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
