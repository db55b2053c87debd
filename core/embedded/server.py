"""The embedded server's life: make it, start it, know when it answers, stop it.

Whether it runs is asked with SELECT 1, never by a process number: a killed postmaster may stay visible as a
zombie, and its number may belong to somebody else by now.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil
import psycopg

from core import embedded
from core.embedded import binaries, places
from core.embedded.binaries import NoServer
from core.processes import Program, bury, end_all, has_ended, spawn, tail

SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "5s",
}
# For tests of everything but durability: a machine's crash may lose the data, a process's crash may not.
FORGETFUL: Final = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB"}
_ACCESS: Final = """\
# Only through the socket: the system user that owns the server, as its superuser, and roles with a password.
local  all  postgres  peer map=vault
local  all  all       scram-sha-256
"""
_SMALL_SHARED_MEMORY: Final = 256 * 2**20


def program(home: Path, *, forgetful: bool = False) -> Program:
    """Describe the server of ``home`` for whoever runs it; each start first makes what is missing."""
    owner = binaries.owner()
    options = SETTINGS | (FORGETFUL if forgetful else {}) | _shared_memory()
    options |= {"unix_socket_directories": str(places.socket_directory(home)), "port": str(places.PORT)}
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        argv=(str(binaries.directory() / "postgres"), "-D", str(places.data_directory(home)), *arguments),
        env={"LC_ALL": "C.UTF-8"},
        log=home / "log" / "postgres.log",
        stop_signal=signal.SIGINT,  # end the sessions and stop: "fast"
        orphan_signal=signal.SIGINT,
        stop_seconds=60,
        stops_last=True,
        user=(owner.uid, owner.gid) if os.geteuid() == 0 else None,
        before=lambda: prepare(home),
    )


def start(home: Path, *, forgetful: bool = False) -> subprocess.Popen[bytes]:
    """Start the server and return its process once it answers; raise NoServer with the reason when it does not."""
    process = spawn(program(home, forgetful=forgetful))
    await_ready(home, process)
    if forgetful:  # a test may silence triggers, to see that an invariant's query finds what they would have refused
        _as_superuser(home, f"grant set on parameter session_replication_role to {places.ROLE}")
    return process


@contextmanager
def running(home: Path, *, forgetful: bool = False) -> Iterator[None]:
    """Run the server for the length of a block."""
    process = start(home, forgetful=forgetful)
    try:
        yield
    finally:
        end_all([(program(home), process)])


def answers(home: Path) -> bool:
    """Say whether a server of ``home`` does work now."""
    try:
        with psycopg.connect(embedded.url(home), connect_timeout=3) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


def await_ready(home: Path, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Wait until the server answers as the application's role, which is made on the first start."""
    deadline = time.monotonic() + seconds
    while not _accepts(home):
        if has_ended(process) or time.monotonic() > deadline:
            bury(process)
            raise NoServer(f"PostgreSQL did not start: {tail(home / 'log' / 'postgres.log')}.")
        time.sleep(0.05)
    if not answers(home):
        _create_role(home)


def prepare(home: Path) -> None:
    """Make the data directory when there is none, the socket's directory, and way for a start after a crash."""
    places.make_home(home)
    owner, data = binaries.owner(), places.data_directory(home)
    if not (data / "PG_VERSION").exists():
        _initialise(data, owner)
    (data / "pg_hba.conf").write_text(_ACCESS)
    (data / "pg_ident.conf").write_text(f'vault  "{owner.name}"  postgres\n')
    socket = places.socket_directory(home)
    _own_socket_directory(socket, owner)
    _stop_leftover(data, socket)


def remove(home: Path) -> None:
    """Delete the server's data and socket, ending a server that was left running. What else ``home`` holds stays."""
    data, socket = places.data_directory(home), places.socket_directory(home)
    _stop_leftover(data, socket)
    for folder in (data, socket):
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(data: Path, owner: binaries.Owner) -> None:
    """Run initdb beside the final place and rename, so that a killed first start leaves nothing half made."""
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    os.chown(fresh, owner.uid, owner.gid)
    _run_as_owner(
        owner, "initdb", "-D", str(fresh), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=peer",
        "--auth-host=scram-sha-256",
    )  # fmt: skip
    fresh.rename(data)


def _create_role(home: Path) -> None:
    """Create the application's role and database, or give the role the password that ``home`` keeps."""
    role = places.ROLE
    sql = f"""
        select 'create role {role} login createdb' where not exists (select from pg_roles where rolname = '{role}')
        \\gexec
        alter role {role} password '{places.password(home)}';
        select 'create database {role} owner {role}'
        where not exists (select from pg_database where datname = '{role}')
        \\gexec
    """
    _as_superuser(home, sql)


def _as_superuser(home: Path, sql: str) -> None:
    connection = ("-h", str(places.socket_directory(home)), "-p", str(places.PORT), "-U", "postgres", "-d", "postgres")
    _run_as_owner(binaries.owner(), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *connection, given=sql)


def _run_as_owner(owner: binaries.Owner, name: str, *arguments: str, given: str = "") -> None:
    user = (owner.uid, owner.gid) if os.geteuid() == 0 else (None, None)
    done = subprocess.run(
        [str(binaries.directory() / name), *arguments],
        user=user[0],
        group=user[1],
        extra_groups=None if user[0] is None else [],
        cwd="/",
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        input=given,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NoServer(f"PostgreSQL could not be set up; {name} said: {done.stderr.strip() or done.returncode}")


def _accepts(home: Path) -> bool:
    """Say whether a server listens, even one that does not know our role yet."""
    try:
        psycopg.connect(embedded.url(home), connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return "authentication failed" in str(error) or 'database "' in str(error) or "role " in str(error)
    return True


def _own_socket_directory(directory: Path, owner: binaries.Owner) -> None:
    """Make the socket's directory; refuse one in a shared place that somebody else put there before us."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o711)
    found = directory.lstat()
    if directory.is_symlink() or found.st_uid not in {os.geteuid(), owner.uid}:
        raise NoServer(f"{directory} belongs to somebody else. Remove it, or set VAULT_HOME to a shorter path.")
    os.chown(directory, owner.uid, owner.gid)


def _stop_leftover(data: Path, socket: Path) -> None:
    """End what still works in ``data`` after its supervisor was killed, and forget its lock files.

    PostgreSQL itself would take a zombie, or a stranger with an old number, for a running server.
    """
    leftover = [process for process in psutil.process_iter() if _works_in(process, data)]
    for how, seconds in ((signal.SIGINT, 30), (signal.SIGKILL, 10)):
        for process in leftover:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)  # SIGINT stops a postmaster and ends an orphan's statement
        _, leftover = psutil.wait_procs(leftover, timeout=seconds)
    (data / "postmaster.pid").unlink(missing_ok=True)
    (socket / f".s.PGSQL.{places.PORT}.lock").unlink(missing_ok=True)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data))
    except psutil.Error:
        return False


def _shared_memory() -> dict[str, str]:
    # A container's /dev/shm is often 64 MB, too small for parallel queries.
    total = shutil.disk_usage("/dev/shm").total if Path("/dev/shm").is_dir() else 0  # noqa: S108
    return {} if total >= _SMALL_SHARED_MEMORY else {"dynamic_shared_memory_type": "mmap"}
