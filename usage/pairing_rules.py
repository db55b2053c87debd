"""Opens and closes to intervals: a pure function of what is known, whatever order it arrived in.

Each (resource, meter, product) is a switch. At one instant, what is on is first switched off, and what is off
is first switched on; so a restart within an instant goes on, and an on-and-off of no length is nothing. Then no two
products of a resource and meter may be on at once: what was opened earlier stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from usage.reported import CLOSE, OPEN

ORPHAN_CLOSE: Final = "orphan_close"
DOUBLE_OPEN: Final = "double_open"
OVERLAP: Final = "overlap"
EMPTY: Final = "empty"


class Switch(NamedTuple):
    """One open or close as pairing sees it; ``key`` is the stored event's, ``order`` decides among equals.

    ``order`` must not depend on arrival: (source, event id).
    """

    resource: str
    meter: str
    product: str
    time: datetime
    type: str
    order: tuple[int, str]
    key: int
    component: str
    app: str


class Paired(NamedTuple):
    """An interval ``[opened, closed)``; ``closed`` is None while it runs."""

    opening: Switch
    closing: Switch | None

    @property
    def opened(self) -> datetime:
        return self.opening.time

    @property
    def closed(self) -> datetime | None:
        return self.closing.time if self.closing else None


class Unpairable(NamedTuple):
    """An open or close that makes no interval, and why."""

    switch: Switch
    kind: str


@dataclass(slots=True)
class Pairing:
    """Everything that follows from the known opens and closes: each of them is in exactly one place."""

    intervals: list[Paired]
    problems: list[Unpairable]


def pair(switches: Iterable[Switch]) -> Pairing:
    """Pair the switches of any number of resources."""
    pairing = Pairing([], [])
    ordered = sorted(switches, key=attrgetter("resource", "meter", "product", "time", "order"))
    for _, of_meter in groupby(ordered, key=attrgetter("resource", "meter")):
        candidates: list[Paired] = []
        for _, of_product in groupby(of_meter, key=attrgetter("product")):
            candidates += _run(of_product, pairing.problems)
        pairing.intervals += _one_at_a_time(candidates, pairing.problems)
    return pairing


def _run(switches: Iterator[Switch], problems: list[Unpairable]) -> Iterator[Paired]:
    """Run one switch through time; yield its intervals and note what makes none."""
    opening: Switch | None = None
    for _, instant in groupby(switches, key=attrgetter("time")):
        both: dict[str, list[Switch]] = {OPEN: [], CLOSE: []}
        for switch in instant:
            both[switch.type].append(switch)
        opens, closes = both[OPEN], both[CLOSE]
        if opening is not None and closes:
            yield Paired(opening, closes.pop(0))
            opening = None
            problems += [Unpairable(close, ORPHAN_CLOSE) for close in closes]
            closes = []
        before = opening
        if opening is None and opens:
            opening = opens.pop(0)
        problems += [Unpairable(again, DOUBLE_OPEN) for again in opens]
        if closes and opening is not None and before is None:
            problems += [Unpairable(opening, EMPTY), Unpairable(closes.pop(0), EMPTY)]
            opening = None
        problems += [Unpairable(close, ORPHAN_CLOSE) for close in closes]
    if opening is not None:
        yield Paired(opening, None)


def _one_at_a_time(candidates: Sequence[Paired], problems: list[Unpairable]) -> list[Paired]:
    """Keep of overlapping products the one that was opened earlier; note the others."""
    if len(candidates) < 2:
        return list(candidates)
    kept: list[Paired] = []
    for candidate in sorted(candidates, key=lambda paired: (paired.opened, paired.opening.product)):
        if not kept or (kept[-1].closed is not None and kept[-1].closed <= candidate.opened):
            kept.append(candidate)
        else:
            ends = [end for end in candidate if end is not None]
            problems += [Unpairable(end, OVERLAP) for end in ends]
    return kept
