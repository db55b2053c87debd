"""The geometry of charts, pure: numbers in, positions out; templates draw them as SVG, so pages and PDFs share them.

Across, positions are percentages, so that a chart fills any width with its text at full size; down, they are
pixels of a fixed height. Everything is a Decimal or the text of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Final

from core.formatting import quantity

HEIGHT: Final = Decimal(168)  # of the plot, in pixels; the labels stand below it
TOP: Final = Decimal(8)
WIDE: Final = 500  # the narrowest a chart gets on a desk and on a phone, in pixels
NARROW: Final = 280
CHARACTER: Final = 7
_SHORT: Final = ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


@dataclass(frozen=True, slots=True)
class Scale:
    """A value axis from ``low`` to ``high`` with round ``ticks``; zero is always on it."""

    low: Decimal
    high: Decimal
    ticks: tuple[Decimal, ...]

    def y(self, value: Decimal) -> Decimal:
        """Return the pixel row of ``value``, counted from the top."""
        return HEIGHT - (HEIGHT - TOP) * (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Tick:
    y: str
    label: str
    zero: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """One position across: its band, its middle, its label and where that label is shown (all, wide or none)."""

    left: str
    width: str
    middle: str
    label: str
    shown: str


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its points, the segments between them and the outline of the area below, in a 100 x HEIGHT box."""

    points: tuple[tuple[str, str], ...]
    segments: tuple[tuple[str, str, str, str], ...]
    area: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a whole, drawn as a slice of a bar: start, width and share, in percent."""

    x: str
    width: str
    share: Decimal


def scale(values: Sequence[Decimal], steps: int = 4) -> Scale:
    """Return a scale over ``values`` and zero whose ticks are 1, 2, 2.5 or 5 times a power of ten apart."""
    low, high = min((*values, Decimal(0))), max((*values, Decimal(0)))
    if low == high:
        high = low + 1
    step = _round_step((high - low) / steps)
    first = (low / step).to_integral_value(ROUND_FLOOR)
    last = (high / step).to_integral_value(ROUND_CEILING)
    ticks = tuple((first + index) * step for index in range(int(last - first) + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _round_step(raw: Decimal) -> Decimal:
    power = Decimal(1).scaleb(raw.adjusted())
    return next(power * factor for factor in map(Decimal, ("1", "2", "2.5", "5", "10")) if power * factor >= raw)


def ticks(axis: Scale) -> tuple[Tick, ...]:
    """Return the axis' lines with short labels: ``250 k``."""
    return tuple(Tick(_px(axis.y(tick)), compact(tick), tick == 0) for tick in axis.ticks)


def slots(labels: Sequence[str]) -> tuple[Slot, ...]:
    """Divide the width evenly among ``labels``, of which only as many are shown as fit a desk or a phone."""
    count, room = len(labels), (max(map(len, labels), default=0) + 2) * CHARACTER
    band = Decimal(100) / max(count, 1)
    every = max(-(-count * room // WIDE), 1)
    every_narrow = every * max(-(-count * room // (NARROW * every)), 1)
    return tuple(
        Slot(_pct(band * index), _pct(band), _pct(band * index + band / 2), label, _shown(index, every, every_narrow))
        for index, label in enumerate(labels)
    )


def _shown(index: int, every: int, every_narrow: int) -> str:
    if index % every_narrow == 0:
        return "all"
    return "wide" if index % every == 0 else "none"


def bars(values: Sequence[Decimal], axis: Scale) -> tuple[Bar, ...]:
    """Return one bar per value, standing on zero; a value that is not zero is never invisible."""
    band = Decimal(100) / max(len(values), 1)
    width = band * Decimal("0.68")
    return tuple(_bar(index, value, axis, band, width) for index, value in enumerate(values))


def _bar(index: int, value: Decimal, axis: Scale, band: Decimal, width: Decimal) -> Bar:
    top, bottom = axis.y(max(value, Decimal(0))), axis.y(min(value, Decimal(0)))
    height = max(bottom - top, Decimal(1)) if value else Decimal(0)
    return Bar(_pct(band * index + (band - width) / 2), _px(top), _pct(width), _px(height))


def line(values: Sequence[Decimal], axis: Scale) -> Line:
    """Return the line through the middles of as many bands as there are values."""
    band = Decimal(100) / max(len(values), 1)
    rows = [(band * index + band / 2, axis.y(value)) for index, value in enumerate(values)]
    outline = [(rows[0][0], axis.y(Decimal(0))), *rows, (rows[-1][0], axis.y(Decimal(0)))] if rows else []
    return Line(
        points=tuple((_pct(x), _px(y)) for x, y in rows),
        segments=tuple((_pct(a), _px(b), _pct(c), _px(d)) for (a, b), (c, d) in pairwise(rows)),
        area=" ".join(f"{_px(x)},{_px(y)}" for x, y in outline),
    )


def parts(values: Sequence[Decimal]) -> tuple[Part, ...]:
    """Lay non-negative ``values`` end to end over the whole width; negative ones take no room."""
    sizes = [max(value, Decimal(0)) for value in values]
    whole = sum(sizes, Decimal(0))
    placed, start = [], Decimal(0)
    for size in sizes:
        share = size / whole if whole else Decimal(0)
        placed.append(Part(_pct(start * 100), _pct(share * 100), share))
        start += share
    return tuple(placed)


def compact(value: Decimal) -> str:
    """Write a round number shortly for an axis: ``1.5 M``, ``250 k``, ``0.5``."""
    for size, unit in _SHORT:
        if abs(value) >= size:
            return f"{quantity((value / size).quantize(Decimal('0.01'), rounding=ROUND_HALF_UP))} {unit}"
    return quantity(value)


def _px(value: Decimal) -> str:
    return f"{value:.2f}"


def _pct(value: Decimal) -> str:
    return f"{value:.3f}%"
