"""What bin/up does, step by step: from nothing to a month that is closed, charged and shown."""

import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import connections

from core.embedded import server
from core.errors import Conflict, Refused, VaultError
from core.processes import Program, tail
from core.supervisor import Stopped, Supervisor
from vault import programs

# What a start makes inside VAULT_HOME. A fresh start deletes exactly this and the embedded server's data.
MADE_BY_VAULT: Final = ("media", "outbox", "static", "log", "pids")
SANDBOX_FILES: Final = "sandbox-gateway.sqlite3*"
NO_DEMO_YET: Final = 3  # exit status of `manage.py demo --summary` before a demo was completed
HOST: Final = "127.0.0.1"
PATIENCE_SECONDS: Final = 5.0  # how long the web process of a killed start may still hold its port
_DIRECTLY: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy knows this machine


class NotStarted(VaultError):
    """A step of the start failed."""

    code = "not_started"


class PortInUse(Conflict):
    """Another program listens where the web process would."""

    code = "port_in_use"


@dataclass(frozen=True, slots=True)
class Start:
    """One start of Vault: where, with which database, and for how long."""

    home: Path
    port: int
    embedded: bool  # whether the database is ours to start
    say: Callable[[str], None]

    @property
    def logs(self) -> Path:
        return self.home / "log"

    def check_port(self) -> None:
        """Raise PortInUse, before anything slow is done, when something listens on the port."""
        deadline = time.monotonic() + (PATIENCE_SECONDS if (self.home / "pids" / "web.pid").exists() else 0)
        while reason := self._port_is_taken():
            if time.monotonic() >= deadline:
                raise PortInUse(
                    f"Port {self.port} of {HOST} cannot be used ({reason}). Stop the program that uses it,"
                    f" or choose another port: bin/up --port {self.port + 1}"
                )
            time.sleep(0.2)

    def _port_is_taken(self) -> str:
        """Return why the port cannot be bound; empty when it can."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                return error.strerror or str(error)
        return ""

    def begin_anew(self) -> None:
        """Delete the books, documents and mail of VAULT_HOME; refuse for a database that is not ours."""
        if not self.embedded:
            raise Refused(
                "--fresh deletes only the embedded database, and DATABASE_URL names another one."
                " Drop and create that one yourself, or unset DATABASE_URL."
            )
        self.say("Deleting the old books, documents and mail.")
        server.remove(self.home)
        for name in MADE_BY_VAULT:
            shutil.rmtree(self.home / name, ignore_errors=True)
        for file in self.home.glob(SANDBOX_FILES):
            file.unlink()

    def run(self, *, serve: bool) -> None:
        """Start everything, show the demo month, and serve until stopped, or end at once without ``serve``."""
        with Supervisor(self.say, self.home / "pids") as supervisor:
            self._start_database(supervisor)
            self._step(supervisor, "Migrating the database", programs.manage("prepare", log=self.logs / "prepare.log"))
            if not serve and self._show_summary(supervisor):
                return
            self._start_programs(supervisor)
            if not (serve and self._show_summary(supervisor)):
                self._build_demo(supervisor)
            if serve:
                self._serve(supervisor)

    def _start_database(self, supervisor: Supervisor) -> None:
        if not self.embedded:
            connections["default"].ensure_connection()  # a database that is down ends here, in a sentence
            connections.close_all()
            return
        self.say("Starting PostgreSQL.")
        program = server.program(self.home)
        server.await_ready(self.home, supervisor.start(program))

    def _step(self, supervisor: Supervisor, what: str, program: Program) -> None:
        self.say(f"{what}.")
        status = supervisor.run(program)
        if status:
            raise NotStarted(f"{what} failed: {tail(program.log)}. The whole story is in {program.log}.")

    def _start_programs(self, supervisor: Supervisor) -> None:
        self.say("Starting the web process and the workers.")
        web = programs.web(self.port, self.logs)
        supervisor.start(web)
        for program in programs.background(self.logs):
            supervisor.start(program)
        if not supervisor.watch_until(self._is_alive, seconds=60):
            raise NotStarted(f"The web process does not answer: {tail(web.log)}. The whole story is in {web.log}.")

    def _is_alive(self) -> bool:
        try:
            with _DIRECTLY.open(f"http://{HOST}:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _show_summary(self, supervisor: Supervisor) -> bool:
        """Print what the demo came to and return True; return False when no demo was completed yet."""
        status = supervisor.run(programs.manage("demo", "--summary"))
        if status not in {0, NO_DEMO_YET}:
            raise NotStarted(f"The summary of the demo failed with status {status}.")
        return status == 0

    def _build_demo(self, supervisor: Supervisor) -> None:
        self.say("Building a demo platform, sending its usage, closing and charging its month.")
        started = time.monotonic()
        status = supervisor.run(programs.manage("demo", "--base-url", f"http://{HOST}:{self.port}"))
        if status:
            raise NotStarted(f"The demo ended with status {status}. bin/up takes it up again where it stopped.")
        self.say(f"The demo month took {time.monotonic() - started:.0f} s.")

    def _serve(self, supervisor: Supervisor) -> None:
        self.say(f"Vault is at http://{HOST}:{self.port} and keeps running until Ctrl-C. Logs are in {self.logs}.")
        try:
            supervisor.watch_until(lambda: False)
        except Stopped:
            self.say("Stopping.")
