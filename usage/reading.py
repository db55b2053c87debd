"""Bytes to events. The usual batch is decoded and checked in one go; an unusual one is read event by event.

The quick way accepts only what the careful way would accept, word for word (a test holds the two against each
other), so that which way was taken never shows in an answer.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from core.errors import VaultError
from usage import careful_reading
from usage.reported import DURATION, WITH_QUANTITY, Batch, ReportedEvent, utc

MAX_EVENTS: Final = 10_000
BOM: Final = b"\xef\xbb\xbf"
T = TypeVar("T")
_SPACE: Final = b" \t\r\n"


class Unreadable(VaultError):
    """The body as a whole is not what it should be."""

    code = "invalid_json"


class TooMany(VaultError):
    """More events than one request may carry."""

    code = "too_many_events"
    status = 413


# What reported.LIMITS says, in the decoder's own words.
_Named = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Long = Annotated[str, msgspec.Meta(max_length=200)]
_Short = Annotated[str, msgspec.Meta(max_length=100)]


class _Wire(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: _Named
    type: Literal["open", "close", "measured", "gauge"]
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    resource: _Named
    product: _Named
    app: _Long = ""
    account: _Long = ""
    meter: _Short = ""
    component: _Short = ""
    quantity: msgspec.Raw = msgspec.Raw()


class _Envelope(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    events: list[_Wire]


_ARRAY: Final = msgspec.json.Decoder(list[_Wire])
_OBJECT: Final = msgspec.json.Decoder(_Envelope)
_LINE: Final = msgspec.json.Decoder(_Wire)
_NUMBER: Final = re.compile(rb'"[0-9]{1,18}(?:\.[0-9]{1,12})?"|(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,12})?')
# What calls for a closer look, each after the byte without which it cannot be: that one is found ten times as fast.
_ODD: Final = ((b"\\", b"\\u0000"), (b" ", b" :"), (b"\t", b"\t:"), (b"\r", b"\r:"), (b"\n", b"\n:"))
_FINE: Final = re.compile(rb"\.[0-9]{7}")
_TOO_FINE: Final = re.compile(rb":[0-9]{2}\.[0-9]{7}")  # a time finer than a microsecond would be rounded
_FAILURES: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read(body: bytes, *, lines: bool = False) -> Batch:
    """Read a JSON array, ``{"events": [...]}``, one event, or with ``lines`` one event a line (NDJSON).

    A bad event is refused by itself. Raises Unreadable when the body has no events that could be told
    apart, and TooMany beyond 10,000.
    """
    body = body.removeprefix(BOM)
    return _quickly(body, lines) or _carefully(body, lines)


def read_binary(attributes: Mapping[str, str], body: bytes) -> Batch:
    """Read one CloudEvent in binary mode: its attributes from ``ce-…`` headers, its data from the body."""
    try:
        return careful_reading.batch([careful_reading.from_headers(attributes, body)])
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The data of the CloudEvent is not JSON ({error}); it was not stored") from error


def _quickly(body: bytes, lines: bool) -> Batch | None:
    """Read a batch in which everything is as usual; None when anything asks for a closer look."""
    enveloped = not lines and not body.lstrip(_SPACE).startswith(b"[")
    try:
        wired = _OBJECT.decode(body).events if enveloped else (_LINE.decode_lines if lines else _ARRAY.decode)(body)
        if not _plain_to_see(body, wired, keys=int(enveloped)):
            return None
        return Batch([_event(index, wire) for index, wire in enumerate(_counted(wired))], [])
    except _FAILURES:
        return None
    except (ValueError, OverflowError):
        return None


def _carefully(body: bytes, lines: bool) -> Batch:
    try:
        found = careful_reading.items(body, lines=lines)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not JSON that can be read ({error}); nothing of it was stored") from error
    return careful_reading.batch(_counted(found))


def _counted(found: list[T]) -> list[T]:
    if len(found) > MAX_EVENTS:
        raise TooMany(f"A request carries at most {MAX_EVENTS:,} events, not {len(found):,}; send several requests")
    return found


def _plain_to_see(body: bytes, wired: list[_Wire], keys: int) -> bool:
    """Whether ``body`` holds nothing that decoding passes over: a key that came twice, a NUL, a time too fine.

    Every key is followed by a colon, and within a text the quote before a colon is escaped; so there are as many
    of the two as there are keys, unless one came twice, or a space stands between them (we look closer then).
    """
    keys += 5 * len(wired)
    for wire in wired:
        keys += bool(wire.app) + bool(wire.account) + bool(wire.meter) + bool(wire.component)
        keys += bool(wire.quantity)
    if body.count(b'":') != keys or any(byte in body and odd in body for byte, odd in _ODD):
        return False
    return not (_FINE.search(body) and _TOO_FINE.search(body))


def _event(index: int, wire: _Wire) -> ReportedEvent:
    """Turn a decoded event into a reported one; raise ValueError when it needs a closer look."""
    quantity, meter = None, wire.meter or DURATION
    if wire.type in WITH_QUANTITY:
        quantity = _number(wire.quantity)
        if not wire.meter:
            raise ValueError("no meter")
    elif wire.quantity:
        raise ValueError("a quantity where none belongs")
    return ReportedEvent(
        index, wire.id, wire.type, utc(wire.time), wire.resource, wire.product, meter,
        wire.component, wire.app, wire.account, quantity,
    )  # fmt: skip


def _number(raw: msgspec.Raw) -> Decimal:
    text = bytes(raw)
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a plain number")
    return Decimal(text.strip(b'"').decode())
