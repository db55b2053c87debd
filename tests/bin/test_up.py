"""bin/up as a person uses it: first start, second start, Ctrl-C, kill -9, and everything that can be in its way."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from core import embedded
from core.embedded import server
from tests.world import NOT_OURS, ROOT, all_gone, below, command_line

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]
UP = (sys.executable, "manage.py", "up")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Vault:
    """A VAULT_HOME whose demo month was closed by a first start."""

    home: Path
    port: int
    first: subprocess.CompletedProcess[str]

    def environment(self, **extra: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        return inherited | {"VAULT_HOME": str(self.home)} | extra

    def up(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [*UP, "--port", str(self.port), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment(**env), capture_output=True, text=True, timeout=300
        )

    def serve(self) -> "subprocess.Popen[str]":
        """Start in the background and return once pages are served."""
        command = [*UP, "--port", str(self.port)]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=subprocess.PIPE, text=True)
        assert process.stdout
        for line in process.stdout:
            if "Vault is at" in line:
                return process
        raise AssertionError(f"it ended with {process.wait()}")

    def fetch(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return int(answer.status)

    def leftovers(self) -> list[str]:
        """Return the command lines of whatever still runs for this home."""
        return [command_line(process) for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return process.environ().get("VAULT_HOME") == str(self.home)
        return False


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    home, port = tmp_path_factory.mktemp("up") / "home", free_port()
    environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    first = subprocess.run(
        [str(ROOT / "bin" / "up"), "--no-serve", "--port", str(port)],
        env=environment | {"VAULT_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    try:
        assert first.returncode == 0, first.stdout + first.stderr  # nothing below makes sense without it
        yield Vault(home, port, first)
    finally:
        server.remove(home)


def test_the_first_start_closes_a_month_and_leaves_nothing_running(vault: Vault) -> None:
    said = vault.first.stdout
    for word in ("accounts", "events", "invoices", "paid", "past due"):
        assert word in said.lower()
    assert "Traceback" not in said + vault.first.stderr
    assert vault.leftovers() == []


def test_the_second_start_is_quick_and_keeps_the_data(vault: Vault) -> None:
    started = time.monotonic()
    second = vault.up("--no-serve")
    assert (second.returncode, second.stderr) == (0, "")
    assert "Building" not in second.stdout
    assert time.monotonic() - started < 60

    def summary(said: str) -> set[str]:
        return set(re.findall(r"^(?!\[).*\S", said, re.MULTILINE))

    assert summary(second.stdout) <= summary(vault.first.stdout)
    assert vault.leftovers() == []


def test_it_serves_until_ctrl_c_and_leaves_nothing_running(vault: Vault) -> None:
    process = vault.serve()
    family = [child.pid for child in below(process.pid)]
    assert vault.fetch("/healthz") == vault.fetch("/readyz") == vault.fetch("/") == 200
    second = vault.up()
    assert second.returncode == 1
    assert second.stderr.startswith(f"vault: Vault is already running here (process {process.pid}).")
    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    assert all_gone(family, seconds=1)
    assert vault.leftovers() == []


def test_kill_9_leaves_nothing_running_and_the_next_start_works(vault: Vault) -> None:
    process = vault.serve()
    family = [child.pid for child in below(process.pid)]
    assert len(family) > 20 and vault.leftovers()
    process.kill()
    process.wait()
    assert all_gone(family, seconds=15)
    assert vault.up("--no-serve").returncode == 0


def test_a_killed_database_comes_back_under_the_running_pages(vault: Vault) -> None:
    process = vault.serve()
    os.kill(int((vault.home / "pids" / "postgres.pid").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.5)
        if server.answers(vault.home) and vault.fetch("/readyz") == 200:
            break
    assert vault.fetch("/readyz") == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0


class TestInTheWay:
    def test_a_port_in_use(self, vault: Vault) -> None:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            other.bind(("127.0.0.1", vault.port))
            other.listen()
            done = vault.up()
        assert (done.returncode, done.stdout) == (1, "")
        assert f"Port {vault.port} of 127.0.0.1 cannot be used (Address already in use)" in done.stderr
        assert f"bin/up --port {vault.port + 1}" in done.stderr

    def test_a_database_that_is_down(self, vault: Vault, tmp_path: Path) -> None:
        done = vault.up(DATABASE_URL=f"postgres://vault:vault@/vault?host={tmp_path}&port=5432")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("vault: PostgreSQL cannot be reached (")

    def test_a_home_that_cannot_be_written(self, vault: Vault, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = vault.up(VAULT_HOME=str(tmp_path / "file" / "home"))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "Set VAULT_HOME to a folder that you can write to." in done.stderr

    def test_fresh_for_a_database_that_is_not_ours(self, vault: Vault) -> None:
        done = vault.up("--fresh", DATABASE_URL=embedded.url(vault.home))
        assert (done.returncode, done.stdout) == (1, "")
        assert "--fresh deletes only the embedded database" in done.stderr

    def test_wrong_usage(self, vault: Vault) -> None:
        assert vault.up("--prot", "9").returncode == 2


def test_fresh_forgets_the_books_and_nothing_else(vault: Vault, tmp_path: Path) -> None:
    from vault.starting import Start

    with server.running(tmp_path / "home"):
        pass
    mine = tmp_path / "home" / "notes.txt"
    mine.write_text("mine")
    (tmp_path / "home" / "outbox").mkdir()
    said: list[str] = []
    Start(home=tmp_path / "home", port=vault.port, embedded=True, say=said.append).begin_anew()
    assert mine.read_text() == "mine"
    assert not (tmp_path / "home" / "outbox").exists()
    with server.running(tmp_path / "home"):
        assert server.answers(tmp_path / "home")
    server.remove(tmp_path / "home")
