"""Where the embedded server keeps its things, by rules that give every process the same answer.

Everything lives in VAULT_HOME, with one exception: PostgreSQL refuses to run as root, so for root it runs
as a system user, and when that user cannot reach VAULT_HOME (below /root, say) its data goes to
/var/lib/vault and its socket to /run. No permission of a folder that is not ours is ever changed.
"""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from core.errors import VaultError

ROLE: Final = "vault"  # the application's database role, and its database; not a superuser
PORT: Final = 5432  # only names the socket; no TCP port is opened
LONGEST_SOCKET_PATH: Final = 100  # the system's limit is 107 bytes with the file's own name
_SOCKET_NAME: Final = len(f"/.s.PGSQL.{PORT}")


class UnusableHome(VaultError):
    """VAULT_HOME cannot hold Vault's files."""

    code = "unusable_home"


def secret_key(home: Path) -> str:
    """Return the signing key kept in ``home``, making one on the first call."""
    return _kept_secret(home, "secret_key")


def password(home: Path) -> str:
    """Return the application role's database password kept in ``home``, making one on the first call."""
    return _kept_secret(home, "postgres_password")


def data_directory(home: Path) -> Path:
    """Return the server's data directory: in ``home``, or below /var/lib/vault when its user cannot reach that."""
    elsewhere = Path("/var/lib/vault") / _digest(home)
    if (elsewhere / "PG_VERSION").exists() or not reachable_by_server(home):
        return elsewhere
    return home.resolve() / "postgres"


def socket_directory(home: Path) -> Path:
    """Return the directory of the server's socket; a short path elsewhere when the one in ``home`` is too long."""
    inside = home.resolve() / "run"
    if len(os.fsencode(inside)) + _SOCKET_NAME <= LONGEST_SOCKET_PATH and reachable_by_server(home):
        return inside
    return Path("/run" if os.geteuid() == 0 else "/tmp") / f"vault-{_digest(home)}"  # noqa: S108 - owner is checked


def reachable_by_server(path: Path) -> bool:
    """Say whether the user that the server runs as can pass through ``path`` and everything above it."""
    if os.geteuid() != 0:
        return True
    path = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())


def make_home(home: Path) -> None:
    """Create ``home``, passable but not listable by others; raise UnusableHome when that is impossible."""
    try:
        home.mkdir(parents=True, mode=0o711, exist_ok=True)  # another process may make it at this moment
    except OSError as error:
        raise _unusable(home, error) from error


def _digest(home: Path) -> str:
    # By the password and not by the path, so that a new home at an old path never finds old books.
    return hashlib.sha256(password(home).encode()).hexdigest()[:16]


def _kept_secret(home: Path, name: str) -> str:
    file = home / name
    try:
        if not file.exists():
            _create_secret(home, file)
        return file.read_text().strip()
    except OSError as error:
        raise _unusable(home, error) from error


def _create_secret(home: Path, file: Path) -> None:
    """Write a new secret in one step, so that processes which start together all read the same one."""
    make_home(home)
    descriptor, name = tempfile.mkstemp(dir=home, prefix=f".{file.name}.")  # readable by nobody else
    partial = Path(name)
    with open(descriptor, "w") as opened:
        opened.write(secrets.token_urlsafe(48))
    try:
        os.link(partial, file)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def _unusable(home: Path, error: OSError) -> UnusableHome:
    return UnusableHome(
        f"VAULT_HOME ({home}) cannot be used: {error.strerror or error}."
        " Set VAULT_HOME to a folder that you can write to."
    )
