"""Starting a program so that it never outlives us: its own session, a log, and a signal from the kernel."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

_SET_PARENT_DEATH_SIGNAL: Final = 1
_LARGEST_LOG: Final = 20_000_000  # bytes; a longer one is kept once, beside the new one
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Program:
    """One program to run: what, with which signals it ends, and who it runs as."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)  # added to ours
    log: Path | None = None  # None: our own output
    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGKILL  # sent by the kernel when we die without a chance to stop it
    stop_seconds: float = 15  # how long it may take to stop before it is killed
    stops_last: bool = False  # for what the others need to stop cleanly
    user: tuple[int, int] | None = None  # uid and gid; None: ours
    before: Callable[[], None] | None = None  # run before each start


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start ``program`` in a session of its own, so that a terminal's Ctrl-C reaches only us."""
    if program.before:
        program.before()
    uid, gid = program.user or (None, None)
    us = os.getpid()
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(_open_log(program.log)) if program.log else None
        return subprocess.Popen(
            program.argv,
            env=os.environ | program.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            cwd="/" if program.user else None,
            preexec_fn=lambda: _begin(us, program.orphan_signal),  # noqa: PLW1509
        )


def _begin(parent: int, orphan_signal: int) -> None:
    """Prepare the child after the fork: it can be interrupted, even if we were started deaf to that by a shell's &."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with(parent, orphan_signal)


def die_with(parent: int, with_signal: int = signal.SIGKILL) -> None:
    """Ask the kernel to send us ``with_signal`` when ``parent`` ends. Runs after the fork, in the child.

    The kernel watches the thread that forked, so call ``spawn`` from the main thread only.
    """
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(with_signal), 0, 0, 0)
    if os.getppid() != parent:  # it ended between the fork and the request
        os.kill(os.getpid(), with_signal)


def descendants_die_with_their_parents() -> None:
    """Make every process forked from here on end with its parent, however deep the tree grows."""
    parent = os.getpid()

    def remember() -> None:
        nonlocal parent
        parent = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: die_with(parent))


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Say whether the program ended, without burying it: its number, and its group's, stay its own until ``bury``."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def bury(process: subprocess.Popen[bytes]) -> int:
    """Kill whatever still runs in the session of ``process``, itself included, and return its exit status."""
    if process.returncode is None:
        kill_session(process.pid)
    return process.wait()


def kill_session(pid: int) -> None:
    """Kill the program that ``spawn`` started as ``pid``, with everything in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], program: Program) -> int:
    """Ask ``process`` to stop, kill it when it takes longer than it may, and return its exit status."""
    end_all([(program, process)])
    return process.wait()


def end_all(running: Sequence[tuple[Program, subprocess.Popen[bytes]]]) -> None:
    """Ask all to stop at once; then bury each, killing those that took longer than they may."""
    for program, process in running:
        if not has_ended(process):
            os.kill(process.pid, program.stop_signal)  # Popen's own way would bury one that just ended
    asked_at = time.monotonic()
    for program, process in running:
        while not has_ended(process) and time.monotonic() < asked_at + program.stop_seconds:
            time.sleep(0.02)
        bury(process)


def tail(log: Path | None, lines: int = 3) -> str:
    """Return the last lines of a log, for a sentence about a program that did not start."""
    if log is None or not log.exists():
        return "it wrote nothing"
    text = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(line.strip() for line in text[-lines:]) or "it wrote nothing"


def _open_log(log: Path) -> IO[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".previous.log"))
    return open(log, "ab")
