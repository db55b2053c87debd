"""A whole Vault on a PostgreSQL of its own, durable as in production, every part of which can be killed at any time."""

import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import psycopg

from core import embedded
from core.embedded import server
from core.processes import Program, bury, has_ended, spawn
from tests.world import World, below
from vault import programs

FORGETS = ("-c", "synchronous_commit=off", "-c", "wal_writer_delay=10s")  # answers before what it says is on disk


@dataclass
class Plant(World):
    """A World whose server, web process and workers are started here, and started again when they died."""

    port: int = 0
    server_options: Sequence[str] = ()
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def begin(self) -> None:
        """Start everything on an empty database."""
        self._start("postgres")
        self.manage("prepare")
        self.flush()
        self.mend()

    def flush(self) -> None:
        """Bring everything so far to the disk, whatever the server does otherwise: Vault itself must survive a kill."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute("set synchronous_commit = on")
            connection.execute("select pg_logical_emit_message(true, 'witness', 'flush')")

    def mend(self) -> None:
        """Start what has died, and wait until the web process answers."""
        for name in ("postgres", "web", "money", "clock"):
            if name not in self.running or has_ended(self.running[name]):
                self.fell(name)
                self._start(name)
        self.wait_until(self._answers, what="the web process")

    def fell(self, name: str) -> None:
        """kill -9 of one part with everything that it started."""
        process = self.running.pop(name, None)
        if process is not None:
            for victim in [process.pid, *(child.pid for child in below(process.pid))]:
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
            bury(process)

    def children(self, name: str) -> list[psutil.Process]:
        """Return the living processes that a part has started: web workers, backends of the server."""
        return below(self.running[name].pid) if name in self.running else []

    def end(self) -> None:
        super().end()
        for name in [*self.running]:
            self.fell(name)
        server.remove(self.home)

    def _start(self, name: str) -> None:
        program = self._program(name)
        self.running[name] = spawn(program)
        self.started = [one for one in self.started if one[0].name != name] + [(program, self.running[name])]
        if name == "postgres":
            server.await_ready(self.home, self.running[name])

    def _program(self, name: str) -> Program:
        logs = self.home / "log"
        if name == "postgres":
            program = server.program(self.home)
            return replace(program, argv=(*program.argv, *self.server_options))
        program = programs.web(self.port, logs) if name == "web" else self._background(name, logs)
        return replace(program, env=self.environment(**program.env))

    def _background(self, name: str, logs: Path) -> Program:
        return next(program for program in programs.background(logs) if program.name == name)

    def _answers(self) -> bool:
        with suppress(urllib.error.URLError, OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status == 200
        return False


def plant(folder: Path, *options: str) -> Plant:
    """Make a plant whose things lie in ``folder``; ``options`` are given to the server."""
    home = folder / "home"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Plant(home, embedded.url(home), port=port, server_options=options)
