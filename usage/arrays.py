"""Columns of a batch as PostgreSQL's binary arrays: three times as fast as one element after the other. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from struct import Struct, pack
from typing import Final

_LENGTH: Final = Struct("!i").pack
_HEAD: Final = Struct("!iiIii").pack  # dimensions, whether there are nulls, element type, length, lower bound
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TEXT, _TIMESTAMPTZ, _BYTEA = 25, 1184, 17  # element types, by their numbers in pg_type
_NULL: Final = b"\xff\xff\xff\xff"


class Texts(bytes):
    """A text[], as it goes to the server."""


class Moments(bytes):
    """A timestamptz[]."""


class Digests(bytes):
    """A bytea[]."""


def texts(values: Sequence[str]) -> Texts:
    """Write a text[]. No value has a NUL or a lone surrogate."""
    encoded = [value.encode() for value in values]
    pieces: list[bytes] = [b""] * (2 * len(encoded))
    pieces[0::2] = map(_LENGTH, map(len, encoded))
    pieces[1::2] = encoded
    return Texts(_HEAD(1, 0, _TEXT, len(values), 1) + b"".join(pieces))


def numerals(values: Sequence[object | None]) -> Texts:
    """Write a text[] of numbers as they are written; None becomes null."""
    pieces = [_NULL if value is None else _piece(str(value)) for value in values]
    return Texts(_HEAD(1, 1, _TEXT, len(values), 1) + b"".join(pieces))


def moments(values: Sequence[datetime]) -> Moments:
    """Write a timestamptz[] of aware moments, to the microsecond."""
    flat = [8] * (2 * len(values))
    flat[1::2] = [_microseconds(value) for value in values]
    return Moments(_HEAD(1, 0, _TIMESTAMPTZ, len(values), 1) + pack("!" + "iq" * len(values), *flat))


def digests(values: Sequence[bytes]) -> Digests:
    """Write a bytea[]."""
    pieces = [_LENGTH(len(value)) + value for value in values]
    return Digests(_HEAD(1, 0, _BYTEA, len(values), 1) + b"".join(pieces))


def _piece(text: str) -> bytes:
    encoded = text.encode()
    return _LENGTH(len(encoded)) + encoded


def _microseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
