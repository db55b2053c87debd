"""What each day has of a month's lines, to the coin: the days of a line sum to it, and all days to the month. Pure.

A line is priced as a whole, so a day has no price of its own: it has the share of the line that its part of the
line's usage is (of a flat fee, its part of the resources that began). What no usage stands behind, such as a
discount, goes along with the rest of each day. Largest remainder, so that no coin is lost or made.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from core.exact import EXACT, ZERO
from core.money import split
from core.money import total as exact_total
from core.periods import Span

Kind = tuple[str, str, str, str]  # app, product, meter, component


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a month as the days share it. ``by_use`` is False for what no usage stands behind.

    ``flat`` is a fee per resource that began. The usage behind it is that of its kind in ``[start, end)``.
    """

    kind: Kind
    description: str
    amount: Decimal
    start: datetime
    end: datetime
    flat: bool = False
    by_use: bool = True


class Use(NamedTuple):
    """What was used of one kind in each span, and how many resources began there."""

    kind: Kind
    amounts: Sequence[Decimal]
    new: Sequence[int]


@dataclass(frozen=True, slots=True)
class Part:
    """A day's part of one charge; ``used`` is in seconds or in the meter's unit."""

    charge: Charge
    used: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a month, before credits and tax; ``parts`` sum to ``amount``."""

    day: date
    amount: Decimal
    parts: Sequence[Part]


def by_day(charges: Iterable[Charge], uses: Iterable[Use], spans: Sequence[Span], currency: str) -> list[Day]:
    """Share ``charges`` over the days of ``spans``, none of which reaches over midnight; every day is in the answer.

    ``uses`` count per span. The days' amounts sum to the charges' to the coin, unless there is no day at all.
    """
    by_kind = {use.kind: use for use in uses}
    days = sorted({span.start.date() for span in spans})
    parts: dict[date, list[Part]] = {day: [] for day in days}
    rest = []
    for charge in charges:
        shares = _shares(charge, by_kind.get(charge.kind), spans, currency) if charge.by_use else {}
        if not shares:
            rest.append(charge)
        for day, part in shares.items():
            parts[day].append(part)
    _share_rest(rest, parts, currency)
    return [Day(day, exact_total(part.amount for part in of_day), of_day) for day, of_day in parts.items()]


def _shares(charge: Charge, use: Use | None, spans: Sequence[Span], currency: str) -> dict[date, Part]:
    """Return the charge's parts by day; empty when nothing was used."""
    used: dict[date, Decimal] = {}
    began: dict[date, int] = {}
    for span, amount, new in zip(spans, use.amounts, use.new, strict=True) if use else ():
        if (amount or new) and charge.start <= span.start < charge.end:
            day = span.start.date()
            used[day] = EXACT.add(used.get(day, ZERO), amount)
            began[day] = began.get(day, 0) + new
    weights = [Decimal(count) for count in began.values()] if charge.flat else []
    weights = weights if any(weights) else list(used.values())
    if not any(weights):
        return {}
    amounts = split(charge.amount, weights, currency)
    return {day: Part(charge, used[day], amount) for day, amount in zip(used, amounts, strict=True)}


def _share_rest(rest: Iterable[Charge], parts: Mapping[date, list[Part]], currency: str) -> None:
    """Let what no usage stands behind go along with each day's other charges, evenly when there are none."""
    weights = [max(exact_total(part.amount for part in of_day), ZERO) for of_day in parts.values()]
    for charge in rest if parts else ():
        for of_day, amount in zip(parts.values(), split(charge.amount, weights, currency), strict=True):
            if amount:
                of_day.append(Part(charge, ZERO, amount))
