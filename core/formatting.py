"""How values read on pages and documents: one unambiguous form each. Pure: text in, text out, "now" is a parameter.

The form is fixed rather than localised, so that an amount or a date reads the same on every desk, in a
search and in a spreadsheet: an ASCII minus, ordinary spaces, the month as a word, UTC said out loud.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from core import money
from core.periods import Month

NOTHING: Final = "—"
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DIGITS: Final = 100  # wider than any NUMERIC we store, so that grouping never rounds
_UNITS: Final[Sequence[tuple[str, int]]] = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_AGES: Final[Sequence[tuple[str, int]]] = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def exact(value: Decimal | int | str) -> Decimal:
    """Return ``value`` as a Decimal; a float is refused because it is not the number that was meant."""
    if isinstance(value, float | bool):
        raise TypeError(f"{value!r} is not exact; pass a Decimal, an int or a text")
    return Decimal(value)


def amount(value: Decimal | int | str, currency: str) -> str:
    """Write an amount without its currency, at the currency's own precision: ``1,234.50``, JPY ``1,235``."""
    with localcontext(prec=_DIGITS):
        return f"{money.round_to_minor_unit(exact(value), currency):,f}"


def amount_with_currency(value: Decimal | int | str, currency: str) -> str:
    """Write an amount so that nobody can mistake it: ``-1,234.50 USD``."""
    return f"{amount(value, currency)} {currency}"


def price(value: Decimal | int | str, currency: str) -> str:
    """Write a unit price with every digit it has, and never fewer than the currency's: ``0.0000125 USD``."""
    with localcontext(prec=_DIGITS):
        number = exact(value)
        places = max(_places(number), money.exponent(currency))
        return f"{number:,.{places}f} {currency}"


def quantity(value: Decimal | int | str) -> str:
    """Write a count or a measure with grouped thousands and no trailing zeros: ``1,234.5``."""
    with localcontext(prec=_DIGITS):
        number = exact(value)
        text = f"{number:,.{_places(number)}f}"
    return "0" if text == "-0" else text


def _places(number: Decimal) -> int:
    """How many digits after the point carry information."""
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def percent(ratio: Decimal | int | str, places: int = 1) -> str:
    """Write a ratio as a percentage, half up: ``0.9731`` is ``97.3 %``."""
    step = Decimal(1).scaleb(-places)
    with localcontext(prec=_DIGITS):
        return f"{(exact(ratio) * 100).quantize(step, rounding=ROUND_HALF_UP):,f} %"


def duration(seconds: Decimal | int | timedelta) -> str:
    """Write a length of time in its two largest units: ``31 d``, ``12 h 5 min``, ``4.25 s``."""
    if isinstance(seconds, timedelta):
        seconds = Decimal(seconds // timedelta(microseconds=1)) / 1_000_000
    number = exact(seconds)
    if number < 0:
        return f"-{duration(-number)}"
    if number < 60:
        return f"{quantity(number.quantize(Decimal('0.001')))} s"
    largest = next(index for index, (_, size) in enumerate(_UNITS) if number >= size)
    (unit, size), (below, below_size) = _UNITS[largest], _UNITS[largest + 1]
    rest = int(number % size) // below_size
    return f"{int(number) // size} {unit}" + (f" {rest} {below}" if rest else "")


def month(value: Month | date | str) -> str:
    """Write a month: ``October 2026``."""
    if isinstance(value, str):
        value = Month.parse(value)
    elif not isinstance(value, Month):
        value = Month.containing(value)
    return f"{MONTHS[value.number - 1]} {value.year}"


def day(value: date) -> str:
    """Write a date: ``24 Nov 2026``; a datetime counts by its UTC day."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return f"{value.day} {MONTHS[value.month - 1][:3]} {value.year}"


def moment(value: datetime) -> str:
    """Write a moment to the minute: ``24 Nov 2026 20:17 UTC``."""
    value = value.astimezone(UTC)
    return f"{day(value)} {value:%H:%M} UTC"


def iso(value: date) -> str:
    """Write a date or a moment for programs: RFC 3339, in UTC with a Z."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
    return value.isoformat()


def ago(value: datetime, now: datetime) -> str:
    """Write how far ``value`` lies from ``now``: ``3 minutes ago``, ``in 2 days``, ``just now``."""
    seconds = int((now - value).total_seconds())
    size = abs(seconds)
    if size < 60:
        return "just now"
    unit, length = next((unit, length) for unit, length in _AGES if size >= length)
    count = size // length
    words = f"{count:,} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds > 0 else f"in {words}"
