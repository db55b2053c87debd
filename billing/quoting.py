"""Quote: what a usage would cost under a price given inline. Writes nothing and needs neither database nor settings."""

import json
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, BinaryIO, Final, NoReturn, TextIO

from billing.proration import Interval, check_interval, seconds_within
from billing.rating import Model, Rated, Usage, model_of, parse_price, rate
from billing.rating.hourly_capped import SECONDS as HOUR
from billing.rating.shape import steps_as_json
from core.errors import Invalid
from core.exact import EXACT
from core.fields import Fields, decimal, moment, shown
from core.money import exponent, minor_unit, plain, total
from core.periods import InvalidMonth, Month

LARGEST_REQUEST: Final = 16 * 1024 * 1024
WRONG_REQUEST: Final = 2


def quote(request: object) -> dict[str, Any]:
    """Price one request and return amount, unrounded amount, rounding and steps; decimals are strings.

    ``{"currency": "USD", "price": {"model": …}, "quantity": "6"}``; prices by time take ``period`` and
    ``intervals``, prices by event ``events``. A mistake raises Invalid, which names the field.
    """
    fields = Fields(request)
    currency = fields.text("currency")
    exponent(currency)
    price = parse_price(fields.take("price"))
    model = model_of(price)
    usage = READERS.get(model, _measured)(fields)
    fields.done(f"a quote for a {model} price")
    return _answer(rate(price, usage), currency)


def _answer(rated: Rated, currency: str) -> dict[str, Any]:
    """Write the result for programs."""
    return {
        "amount": str(rated.rounded(currency)),
        "currency": currency,
        "unrounded": plain(rated.unrounded),
        "rounding": f"once, half up to {minor_unit(currency)}",
        "steps": steps_as_json(rated.steps),
    }


def _measured(fields: Fields) -> Usage:
    return Usage(fields.decimal("quantity"))


def _events(fields: Fields) -> Usage:
    """Read amounts one by one, or their sum alone; both must agree."""
    if not fields.has("events"):
        return Usage(fields.decimal("quantity"))
    events = tuple(decimal(value, path) for path, value in fields.items("events"))
    whole = total(events)
    if fields.has("quantity") and fields.decimal("quantity") != whole:
        raise Invalid(f"quantity must be the sum of the events, {plain(whole)}; or leave it out.", field="quantity")
    return Usage(whole, events=events)


def _elapsed(fields: Fields) -> Usage:
    """Read a month and intervals; what lies outside the month does not count."""
    month, intervals = _month(fields), _intervals(fields)
    return Usage(seconds_within(intervals, month.span), month)


def _hours(fields: Fields) -> Usage:
    """Read hours as a quantity, or intervals of a month."""
    if not fields.has("quantity"):
        return _elapsed(fields)
    return Usage(EXACT.multiply(fields.decimal("quantity"), HOUR))


def _subscriptions(fields: Fields) -> Usage:
    """Read how many fees are due: one when nothing is said, or when any time lies within the month."""
    if not fields.has("intervals"):
        return Usage(fields.decimal("quantity", default=Decimal(1)))
    return Usage(Decimal(1 if _elapsed(fields).quantity else 0))


READERS: Final[Mapping[Model, Callable[[Fields], Usage]]] = {
    Model.PRORATED: _elapsed,
    Model.HOURLY_CAPPED: _hours,
    Model.FLAT: _subscriptions,
    Model.PERCENTAGE: _events,
    Model.GRADUATED_PERCENTAGE: _events,
}


def _month(fields: Fields) -> Month:
    text = fields.text("period")
    try:
        return Month.parse(text)
    except InvalidMonth:
        sentence = f"period must be a month from 2000-01 to 2199-12, such as 2026-10; it is {shown(text)}."
        raise Invalid(sentence, field="period") from None


def _intervals(fields: Fields) -> list[Interval]:
    """Read ``[from, to]`` pairs, half-open, in any zone."""
    intervals = []
    for path, pair in fields.items("intervals"):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Invalid(f"{path} must be a pair of times: [from, to].", field=path)
        opened, closed = moment(pair[0], f"{path}[0]"), moment(pair[1], f"{path}[1]")
        intervals.append(check_interval(opened, closed, path))
    return intervals


def decode(body: bytes) -> object:
    """Read a JSON document strictly: no NaN, no key twice; numbers stay exact. Raise Invalid."""
    if len(body) > LARGEST_REQUEST:
        raise Invalid(f"The request is larger than {LARGEST_REQUEST // 1024 // 1024} MB; send it in parts.")
    if not body.strip():
        raise Invalid('The request is empty; send JSON such as {"currency": "USD", "price": {...}, "quantity": "6"}.')
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_unique,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise Invalid(f"The request is not UTF-8 text (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"The request is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise Invalid("The request is nested too deeply; a quote needs four levels.") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a key that appears twice: which of the two was meant?"""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise Invalid(f"{shown(name)} appears twice in one object; keep one.", field=name)
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is not a number that can be priced; write decimals as strings.")


def main(stdin: BinaryIO, stdout: TextIO, stderr: TextIO) -> int:
    """Answer one request from ``stdin``; return 0, or 2 after a sentence on ``stderr`` that names the field."""
    try:
        answer = quote(decode(stdin.read(LARGEST_REQUEST + 1)))
    except Invalid as error:
        print(f"vault: {error}", file=stderr)
        return WRONG_REQUEST
    print(json.dumps(answer), file=stdout, flush=True)
    return 0


def main_of_process() -> int:
    """Run as ``manage.py quote``, before Django and its settings are loaded: that keeps it under a second."""
    try:
        return main(sys.stdin.buffer, sys.stdout, sys.stderr)
    except BrokenPipeError:
        return 1
