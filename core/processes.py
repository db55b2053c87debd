"""Starting a program so that it never outlives us: its own session, a log, and a signal from the kernel."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
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
            preexec_fn=lambda: die_with(us, program.orphan_signal),  # noqa: PLW1509
        )


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


def kill_group(pid: int) -> None:
    """End the session that ``spawn`` gave ``pid``, with everything in it, without asking."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


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
