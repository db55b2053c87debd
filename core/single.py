"""One at a time: a lock that the kernel frees when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.embedded.places import UnusableHome, make_home
from core.errors import Conflict


class AlreadyRunning(Conflict):
    """Another process of the same kind holds the lock."""

    code = "already_running"


@contextmanager
def only_one(file: Path, what: str) -> Iterator[None]:
    """Hold ``file`` for the length of a block; raise AlreadyRunning, naming the holder, when another does."""
    make_home(file.parent)
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UnusableHome(
            f"{file} cannot be written: {error.strerror}. Set VAULT_HOME to a folder that you can write to."
        ) from error
    with open(descriptor, "r+") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = opened.read().strip() or "unknown"
            raise AlreadyRunning(
                f"{what} is already running here (process {holder}). Stop it with Ctrl-C in its window or with"
                f" `kill {holder}`, or set VAULT_HOME to another folder for a second one."
            ) from error
        opened.truncate(0)
        opened.write(str(os.getpid()))
        opened.flush()
        yield
