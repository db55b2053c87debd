"""The PostgreSQL that comes with Vault, for machines that have none: where it lives and how to reach it.

Settings import this module, so it is cheap, knows no Django and starts nothing. ``core.embedded.server``
starts and stops the server; ``core.embedded.binaries`` finds its programs.
"""

from core.embedded.places import PORT, ROLE, password, secret_key, socket_directory

__all__ = ["secret_key", "url"]

from pathlib import Path
from urllib.parse import quote


def url(home: Path, name: str = ROLE) -> str:
    """Return libpq's URL of database ``name`` on the embedded server of ``home``, running or not."""
    socket = quote(str(socket_directory(home)), safe="/")
    return f"postgres://{ROLE}:{quote(password(home))}@/{name}?host={socket}&port={PORT}"
