"""Secrets for programs: a readable prefix finds the row, only a SHA-256 of the whole key is kept."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

PREFIX_LENGTH: Final = 10
_FORM: Final = re.compile(r"^v[ks]_([a-z0-9]{10})_([A-Za-z0-9_-]{43})$")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key: ``text`` is shown once and never stored."""

    prefix: str
    text: str
    secret_hash: str


def generate(kind: str) -> NewKey:
    """Make a key of ``kind`` "k" (API) or "s" (source) with 256 random bits."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(PREFIX_LENGTH))
    text = f"v{kind}_{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(prefix, text, digest(text))


def prefix_of(text: str) -> str | None:
    """Return the prefix of a well-formed key, else None."""
    found = _FORM.match(text)
    return found[1] if found else None


def digest(text: str) -> str:
    """Return the hash that is stored in place of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, secret_hash: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(text), secret_hash)
