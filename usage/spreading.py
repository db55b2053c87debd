"""Spread usage that was added up by where it began and ended over the spans between. Pure; exact.

Many resources that began between the same two edges and ended between the same two are one stretch: within the spans
in the middle each of them ran all the time, and at its ends the sums of their moments say how long. Edges are whole
microseconds after the first one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from core.exact import EXACT, ZERO

MICROSECONDS: Final = 6


class Stretch(NamedTuple):
    """Resources that began in span ``first`` and ended in span ``last``.

    ``level`` is the sum of their levels, ``begun`` and ``ended`` the sums of level x microseconds; of a measured
    quantity these are 0 and the quantity. ``resources`` count from the coarse span ``since`` on (it may lie after the
    last: they counted before), ``new`` of them are of no earlier stretch of their kind.
    """

    measured: bool
    first: int
    last: int
    since: int
    level: Decimal
    begun: Decimal
    ended: Decimal
    resources: int
    new: int


def used_before(stretches: Iterable[Stretch], edges: Sequence[int]) -> list[Decimal]:
    """Return what was used before each edge: seconds times level of what ran, plus the quantities measured."""
    level, moments, measured = ([ZERO] * (len(edges) + 1) for _ in range(3))  # what changes at each edge
    for stretch in stretches:
        behind = stretch.last + 1
        if stretch.measured:
            measured[behind] = EXACT.add(measured[behind], stretch.ended)
            continue
        ahead = stretch.first + 1
        level[ahead] = EXACT.add(level[ahead], stretch.level)
        moments[ahead] = EXACT.subtract(moments[ahead], stretch.begun)
        level[behind] = EXACT.subtract(level[behind], stretch.level)
        moments[behind] = EXACT.add(moments[behind], stretch.ended)
    running = ended = counted = ZERO
    before = []
    for edge, *changes in zip(edges, level, moments, measured, strict=False):
        running, ended = EXACT.add(running, changes[0]), EXACT.add(ended, changes[1])
        counted = EXACT.add(counted, changes[2])
        seconds = EXACT.scaleb(EXACT.fma(running, Decimal(edge), ended), -MICROSECONDS)
        before.append(EXACT.add(seconds, counted))
    return before


def per_span(before: Sequence[Decimal]) -> list[Decimal]:
    """Return what was used between each two edges, from what was used before each."""
    return [EXACT.subtract(before[place + 1], before[place]) for place in range(len(before) - 1)]
