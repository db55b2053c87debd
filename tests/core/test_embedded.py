"""The embedded server with its real programs: first start, crash, leftovers, and places it may not use."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from core import embedded
from core.embedded import binaries, places, server
from core.processes import bury, end_all
from tests.world import ROOT, all_gone

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("embedded")]
AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose server was made once; every test starts and ends it for itself."""
    home = tmp_path_factory.mktemp("embedded") / "home"
    server.prepare(home)
    yield home
    server.remove(home)


def ask(home: Path, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(embedded.url(home)) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def end(home: Path, process: subprocess.Popen[bytes]) -> None:
    end_all([(server.program(home), process)])


def test_it_starts_answers_and_stops(home: Path) -> None:
    assert not server.answers(home)
    with server.running(home):
        assert server.answers(home)
        assert ask(home, "select rolsuper, rolcreatedb from pg_roles where rolname = current_user") == [(False, True)]
        assert ask(home, "show listen_addresses") == [("",)], "no port is opened"
        assert ask(home, "show fsync") == [("on",)]
        assert ask(home, "select lower('É') = 'é', encoding from pg_database limit 1") == [(True, 6)]
    assert not server.answers(home)


def test_a_password_is_asked_for(home: Path) -> None:
    with server.running(home), pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(embedded.url(home), password="guess")


def test_it_comes_back_after_kill_9_with_what_was_committed(home: Path) -> None:
    process = server.start(home)
    ask(home, "create table if not exists kept (id int)")
    ask(home, "insert into kept values (1)")
    os.kill(process.pid, signal.SIGKILL)  # not yet buried: a zombie keeps its number, as in a container
    again = server.start(home)
    assert ask(home, "select count(*) from kept") == [(1,)]
    end(home, again)
    bury(process)


def test_a_leftover_server_is_ended_before_the_next_start(home: Path) -> None:
    first = server.start(home)
    second = server.start(home)
    assert first.wait(10) == 0, "it was asked to stop"
    assert server.answers(home)
    end(home, second)


def test_a_stranger_with_the_old_number_is_left_alone(home: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    lock = places.data_directory(home) / "postmaster.pid"
    lock.write_text(f"{stranger.pid}\n{places.data_directory(home)}\n0\n5432\n\n\n0 0\nready\n")
    with server.running(home):
        assert server.answers(home)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_it_ends_when_its_supervisor_is_killed(home: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from core.embedded import server;"
        "process = server.start(Path(sys.argv[1])); print(process.pid, flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", script, str(home)], cwd=ROOT, stdout=subprocess.PIPE)
    assert supervisor.stdout
    postmaster = int(supervisor.stdout.readline())
    assert server.answers(home)
    supervisor.kill()
    supervisor.wait()
    assert all_gone([postmaster])
    with server.running(home):
        assert server.answers(home)


def test_a_first_start_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    places.make_home(home)
    data = places.data_directory(home)
    half_made = data.with_name(f"{data.name}.new")
    half_made.mkdir(parents=True)
    (half_made / "base").mkdir()
    with server.running(home):
        assert server.answers(home)
    server.remove(home)


def test_a_long_home_gets_a_short_socket(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    assert len(str(places.socket_directory(home))) < 60
    with server.running(home):
        assert server.answers(home)
    server.remove(home)


@pytest.mark.skipif(not AS_ROOT, reason="only root's server runs as somebody else")
def test_no_folder_of_others_is_opened_for_the_server(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    home = private / "home"
    with server.running(home):
        assert server.answers(home)
        assert places.data_directory(home).parent == Path("/var/lib/vault")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    server.remove(home)
    assert not places.data_directory(home).exists()


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a folder to somebody else")
def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    places.make_home(home)
    squatted = places.socket_directory(home)
    squatted.mkdir()
    os.chown(squatted, 65534, 65534)
    with pytest.raises(binaries.NoServer, match="belongs to somebody else"):
        server.start(home)
    squatted.rmdir()
    server.remove(home)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with server.running(home):
        pass
    settings = places.data_directory(home) / "postgresql.auto.conf"
    kept = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(binaries.NoServer, match=r"PostgreSQL did not start: .*no_such_setting"):
        server.start(home)
    settings.write_text(kept)


class TestSecrets:
    def test_are_made_once_by_any_number_of_processes(self, tmp_path: Path) -> None:
        for attempt in range(20):  # the race for the folder itself is lost once in some dozens
            home = tmp_path / str(attempt) / "home"
            with ThreadPoolExecutor(8) as pool:
                made = set(pool.map(lambda _, home=home: places.secret_key(home), range(32)))
            assert len(made) == 1
            assert len(made.pop()) >= 64

    def test_are_for_their_owner_only(self, tmp_path: Path) -> None:
        places.secret_key(tmp_path)
        assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600

    def test_differ(self, tmp_path: Path) -> None:
        assert places.secret_key(tmp_path) != places.password(tmp_path)

    def test_of_a_home_that_cannot_be_used_are_refused_in_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(places.UnusableHome, match=r"cannot be used: Not a directory. Set VAULT_HOME"):
            places.secret_key(tmp_path / "file" / "home")


def test_the_address_is_known_without_starting_anything(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from core import embedded; print(embedded.url(Path(sys.argv[1])));"
        "assert 'django' not in sys.modules and 'psycopg' not in sys.modules"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("postgres://vault:") and not done.stderr
    assert time.monotonic() - started < 5
    assert not (tmp_path / "postgres").exists()
