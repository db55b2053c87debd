"""Reading a batch event by event, so that a bad one never spoils the good ones and every mistake has its name."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

from core import fields
from core.errors import Invalid
from core.exact import EXACT
from usage import cloudevents
from usage.reported import DURATION, LIMITS, PLACES, TYPES, WITH_QUANTITY, Batch, Refusal, ReportedEvent

REQUIRED: Final = ("id", "type", "time", "resource", "product")
OPTIONAL: Final = ("app", "account", "meter", "component", "quantity")
Item = tuple[str, object]  # the text as received, and its value (or a Broken)

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_OFFSET: Final = re.compile(r"([+-][0-9]{2})([0-9]{2})$")
_ENVELOPE: Final = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"events"[ \t\r\n]*:[ \t\r\n]*(?=\[)')


class Number(str):
    """A JSON number (or NaN, Infinity) as it was written: nothing is parsed before its length is known."""

    __slots__ = ()


class Doubled(dict[str, object]):
    """An object in which a key came twice: no reader may choose which one was meant."""


class Broken(str):
    """A line that is not JSON, with the reason."""

    __slots__ = ()


class Problem(Exception):
    """What is wrong with one event."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.field, self.detail = code, field, detail


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled(found)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=Number
)


def items(body: bytes, *, lines: bool) -> list[Item]:
    """Tell the events of a body apart, each with its text; raise ValueError or RecursionError when they cannot be."""
    if lines:
        return [_line(line) for line in body.split(b"\n") if line.strip()]
    text = body.decode()
    if envelope := _ENVELOPE.match(text):
        found, end = _array(text, envelope.end())
        end = _expect(text, end, "}")
    elif _next(text, 0) == "[":
        found, end = _array(text, _skip(text, 0))
    else:
        _expect(text, 0, "{")
        value, end = _DECODER.raw_decode(text, _skip(text, 0))
        found = [(text.strip(), value)]
    if _skip(text, end) != len(text):
        raise ValueError(f"something follows the events at character {end}")
    return found


def from_headers(attributes: Mapping[str, str], body: bytes) -> Item:
    """Return the CloudEvent that came in binary mode; raise ValueError or RecursionError when its data is no JSON."""
    said = {name.removeprefix("ce-"): unquote(value) for name, value in attributes.items()}
    whole = said | {"data": _DECODER.decode(body.decode()) if body.strip() else {}}
    return json.dumps(whole, default=str), whole


def _line(line: bytes) -> Item:
    text = line.decode(errors="replace").strip().replace("\0", "\ufffd")
    try:
        return text, _DECODER.decode(line.decode())
    except (ValueError, RecursionError) as error:
        return text, Broken(f"The line is not JSON ({error})")


def _array(text: str, start: int) -> tuple[list[Item], int]:
    """Read the items of the array that begins at ``start``; return them and where it ends."""
    found: list[Item] = []
    position = _skip(text, start + 1)
    while _next(text, position) != "]":
        if found:
            position = _skip(text, _expect(text, position, ","))
        value, end = _DECODER.raw_decode(text, position)
        found.append((text[position:end], value))
        position = _skip(text, end)
    return found, position + 1


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _next(text: str, position: int) -> str:
    position = _skip(text, position)
    return text[position : position + 1]


def _expect(text: str, position: int, mark: str) -> int:
    if _next(text, position) != mark:
        raise ValueError(f"{mark!r} expected at character {_skip(text, position)}")
    return _skip(text, position) + 1


def batch(found: Iterable[Item]) -> Batch:
    """Judge each item by itself."""
    events: list[ReportedEvent] = []
    refused: list[Refusal] = []
    for index, (text, value) in enumerate(found):
        try:
            events.append(event(index, value))
        except Problem as problem:
            refused.append(Refusal(index, readable_id(value), problem.code, problem.field, problem.detail, text))
    return Batch(events, refused)


def event(index: int, value: object) -> ReportedEvent:
    """Return the event that ``value`` says, or raise Problem."""
    said = _mapping(value)
    for name in REQUIRED:
        if said.get(name) is None:
            raise Problem("missing_field", name, f"{name} is missing.")
    for name in said:
        if name not in REQUIRED and name not in OPTIONAL:
            raise Problem(
                "unknown_field", _short(name), f"{fields.shown(name)} is not a field of an event; leave it out."
            )
    kind = _text(said, "type")
    if kind not in TYPES:
        raise Problem(
            "unknown_type", "type", f"type must be open, close, measured or gauge; it is {fields.shown(kind)}."
        )
    quantity, meter = _measurement(said, kind)
    return ReportedEvent(
        index, _text(said, "id"), kind, _moment(said["time"]), _text(said, "resource"), _text(said, "product"), meter,
        _text(said, "component"), _text(said, "app"), _text(said, "account"), quantity,
    )  # fmt: skip


def _mapping(value: object) -> Mapping[str, Any]:
    if isinstance(value, Broken):
        raise Problem("invalid_json", "", f"{value}.")
    if not isinstance(value, dict):
        raise Problem("invalid_event", "", f"An event is an object; this is {_kind(value)}.")
    if isinstance(value, Doubled):
        raise Problem("duplicate_key", "", "A key comes twice in this event, so that nobody can tell which was meant.")
    if cloudevents.SPECVERSION not in value:
        return value
    if isinstance(value.get("data"), Doubled):
        raise Problem("duplicate_key", "data", "A key comes twice in data, so that nobody can tell which was meant.")
    try:
        return cloudevents.plain(value)
    except Invalid as error:
        raise Problem("invalid_field", error.field, str(error)) from error


def _moment(value: object) -> datetime:
    """Return a time in UTC; an offset may leave its colon out, as some clocks do."""
    try:
        return fields.moment(_OFFSET.sub(r"\1:\2", value) if isinstance(value, str) else value, "time")
    except Invalid as error:
        raise Problem("invalid_field", "time", str(error)) from error


def _measurement(said: Mapping[str, Any], kind: str) -> tuple[Decimal | None, str]:
    """Return quantity and meter: a measured event and a gauge have both, another one no quantity."""
    meter = _text(said, "meter")
    if kind not in WITH_QUANTITY:
        if said.get("quantity") is not None:
            raise Problem(
                "invalid_field", "quantity", f"Only a measured event or a gauge has a quantity; this is type {kind}."
            )
        return None, meter or DURATION
    for name, value in (("meter", meter), ("quantity", said.get("quantity"))):
        if value in (None, ""):
            raise Problem("missing_field", name, f"{name} is missing; an event of type {kind} has one.")
    return _quantity(said["quantity"]), meter


def _quantity(value: object) -> Decimal:
    try:
        number = fields.decimal(str(value) if isinstance(value, Number) else value, "quantity").normalize(EXACT)
    except Invalid as error:
        raise Problem("invalid_field", "quantity", str(error)) from error
    if -int(number.as_tuple().exponent) > PLACES:
        raise Problem("invalid_field", "quantity", f"quantity may have {PLACES} digits after the point at most.")
    return number


def _text(said: Mapping[str, Any], name: str) -> str:
    """Return a text that PostgreSQL can keep; a field that is null or not there is an empty one."""
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or isinstance(value, Number):
        raise Problem("invalid_field", name, f"{name} must be a string; it is {_kind(value)}.")
    if name in REQUIRED and not value:
        raise Problem("invalid_field", name, f"{name} must not be empty.")
    if len(value) > LIMITS.get(name, 200):
        raise Problem("invalid_field", name, f"{name} has {len(value)} characters; it may have {LIMITS[name]} at most.")
    if not fields.storable(value):
        raise Problem("invalid_field", name, f"{name} {fields.NO_TEXT}")
    return value


def _kind(value: object) -> str:
    return "a number" if isinstance(value, Number) else fields.kind(value)


def readable_id(value: object) -> str:
    """Return the event's own identifier as far as it can be told, for whoever looks for it; else nothing."""
    found = value.get("id") if isinstance(value, dict) else None
    return found[:200] if isinstance(found, str) and fields.storable(found) else ""


def _short(name: str) -> str:
    return name if len(name) <= 100 and fields.storable(name) else ""
