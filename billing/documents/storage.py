"""Files by the hash of their content, below MEDIA_ROOT: complete or absent, never half written."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from core.errors import VaultError

FOLDER: Final = "documents"


class Damaged(VaultError):
    """A stored file is missing or is not what was stored."""

    code = "document_damaged"
    status = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a content lies: its SHA-256, its path below MEDIA_ROOT and its size in bytes."""

    sha256: str
    path: str
    size: int


def store(content: bytes, suffix: str = ".pdf") -> Stored:
    """Keep ``content`` durably under its hash; storing the same content again replaces it by itself."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"{FOLDER}/{sha256[:2]}/{sha256}{suffix}"
    target = Path(settings.MEDIA_ROOT) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=target.parent, prefix=".partial-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o640)
        os.replace(partial, target)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)
    return Stored(sha256, path, len(content))


def read(path: str, sha256: str) -> bytes:
    """Return a stored content; raise Damaged when it is missing or has changed."""
    try:
        content = (Path(settings.MEDIA_ROOT) / path).read_bytes()
    except OSError as error:
        raise Damaged(f"The file {path} cannot be read: {error.strerror}.") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Damaged(f"The file {path} is not the one that was stored.")
    return content


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
