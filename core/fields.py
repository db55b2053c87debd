"""Strict reading of JSON objects: every mistake names its field by path, and nothing is guessed or ignored."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from core.errors import Invalid

NUMBER: Final = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?")
MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
LIMIT: Final = Decimal(10) ** 18
PLACES: Final = 30
NO_TEXT: Final = "contains a NUL or half of a surrogate pair, which is no text."


def decimal(value: object, path: str) -> Decimal:
    """Read a decimal that is zero or more, below 10^18 and with at most 30 digits after the point; raise Invalid."""
    if not isinstance(value, str):
        raise Invalid(
            f'{path} must be a decimal written as a string, for example "12.50"; it is {kind(value)}.', field=path
        )
    if not NUMBER.fullmatch(value):
        raise Invalid(f'{path} must be a decimal such as "12.50"; it is {shown(value)}.', field=path)
    number = Decimal(value)
    if number.is_signed() and number:
        raise Invalid(f"{path} must not be negative; it is {shown(value)}.", field=path)
    if number >= LIMIT:
        raise Invalid(f"{path} must be below 10^18; it is {shown(value)}.", field=path)
    if -int(number.as_tuple().exponent) > PLACES:
        raise Invalid(f"{path} may have {PLACES} digits after the point at most; it is {shown(value)}.", field=path)
    return number.copy_abs()


def count(value: object, path: str) -> int:
    """Read a whole number that is zero or more, as a JSON integer or a string; raise Invalid."""
    number = decimal(_integer_as_text(value), path)
    if number != number.to_integral_value():
        raise Invalid(f"{path} must be a whole number; it is {shown(str(value))}.", field=path)
    return int(number)


def _integer_as_text(value: object) -> object:
    """Let a JSON integer pass for its decimal string; anything else stays what it was."""
    if type(value) is int and abs(value) < LIMIT:
        return str(value)
    if type(value) is Decimal and abs(value) < LIMIT and value == value.to_integral_value():
        return f"{value:f}"
    return value


def moment(value: object, path: str) -> datetime:
    """Read an RFC 3339 time with its zone, to the microsecond, and return it in UTC; raise Invalid."""
    if not isinstance(value, str):
        raise Invalid(f"{path} must be a time written as a string; it is {kind(value)}.", field=path)
    try:
        if MOMENT.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    sentence = f'{path} must be a time with its zone, such as "2026-10-01T00:00:00Z"; it is {shown(value)}.'
    raise Invalid(sentence, field=path)


def kind(value: object) -> str:
    """Name what a JSON value is, for a sentence."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    names: Mapping[type, str] = {str: "a string", dict: "an object", list: "a list", int: "a number", float: "a number"}
    return names.get(type(value), "a number" if isinstance(value, Decimal) else "something else")


def shown(text: str) -> str:
    """Quote what was received, short enough for a sentence."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def storable(text: str) -> bool:
    """Say whether PostgreSQL can keep ``text``; JSON can say more than that."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


class Fields:
    """One JSON object being read; ``done`` refuses what nobody asked for."""

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, Mapping):
            raise Invalid(f"{path or 'The document'} must be an object; it is {kind(value)}.", field=path)
        self.path, self._left = path, dict(value)

    def at(self, name: str) -> str:
        """Return the path of one of this object's fields."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str) -> object:
        """Return a field that must be there, whatever it is."""
        if name not in self._left:
            raise Invalid(f"{self.at(name)} is missing.", field=self.at(name))
        return self._left.pop(name)

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise Invalid(f"{self.at(name)} must be a string; it is {kind(value)}.", field=self.at(name))
        if not storable(value):
            raise Invalid(f"{self.at(name)} {NO_TEXT}", field=self.at(name))
        return value

    def decimal(self, name: str, default: Decimal | None = None) -> Decimal:
        """Return a decimal as ``decimal`` reads it; without a default the field must be there."""
        if default is not None and name not in self._left:
            return default
        return decimal(self.take(name), self.at(name))

    def nullable_decimal(self, name: str) -> Decimal | None:
        """Return a decimal, or None for null; the field must be there."""
        value = self.take(name)
        return None if value is None else decimal(value, self.at(name))

    def positive(self, name: str) -> Decimal:
        """Return a decimal above zero."""
        number = self.decimal(name)
        if not number:
            raise Invalid(f"{self.at(name)} must be above zero.", field=self.at(name))
        return number

    def count(self, name: str, default: int | None = None) -> int:
        """Return a whole number as ``count`` reads it; without a default the field must be there."""
        if default is not None and name not in self._left:
            return default
        return count(self.take(name), self.at(name))

    def flag(self, name: str) -> bool:
        """Return true or false; false when the field is not there."""
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise Invalid(f"{self.at(name)} must be true or false; it is {kind(value)}.", field=self.at(name))
        return value

    def items(self, name: str) -> list[tuple[str, object]]:
        """Return a list's items, each with its path, such as ``price.tiers[1]``."""
        value = self.take(name)
        if not isinstance(value, list | tuple):
            raise Invalid(f"{self.at(name)} must be a list; it is {kind(value)}.", field=self.at(name))
        return [(f"{self.at(name)}[{index}]", item) for index, item in enumerate(value)]

    def done(self, what: str) -> None:
        """Refuse fields that ``what`` (words for the sentence) does not have."""
        if self._left:
            name = str(next(iter(self._left)))
            path = self.at(name if WORD.fullmatch(name) else shown(name))
            raise Invalid(f"{path} is not a field of {what}; leave it out.", field=path)
