"""Opens, closes and levels to intervals: a pure function of what is known, whatever order it arrived in.

A Strand is one meter of one resource, carried through time instant by instant; what is so just before an instant
follows from the earlier ones alone, so it can be taken up at any moment from what was believed there.

Each product on it is switched or has a level. At one instant, what is on is first switched off, and what is off is
first switched on; so a restart within an instant goes on, and an on-and-off of no length is nothing. Then no two
products may run at once: what was opened earlier stays. A level holds until the next one; of two at one instant the
later in ``order`` counts, and an equal one changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple, Self

from usage.reported import CLOSE, GAUGE, OPEN

ORPHAN_CLOSE: Final = "orphan_close"
DOUBLE_OPEN: Final = "double_open"
OVERLAP: Final = "overlap"
EMPTY: Final = "empty"
MIXED: Final = "mixed"
ONE: Final = Decimal(1)


class Signal(NamedTuple):
    """One open, close or level as pairing sees it; ``key`` is the stored event's, ``order`` decides among equals.

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
    level: Decimal = ONE


class Paired(NamedTuple):
    """An interval ``[opened, closed)``; ``closed`` is None while it runs."""

    opening: Signal
    closing: Signal | None

    @property
    def opened(self) -> datetime:
        return self.opening.time

    @property
    def closed(self) -> datetime | None:
        return self.closing.time if self.closing else None

    @property
    def level(self) -> Decimal:
        return self.opening.level


class Unpairable(NamedTuple):
    """A signal that makes no interval, and why."""

    signal: Signal
    kind: str


@dataclass(slots=True)
class Pairing:
    """Everything that follows from some signals: each open and close is in exactly one place."""

    intervals: list[Paired] = field(default_factory=list)
    problems: list[Unpairable] = field(default_factory=list)


@dataclass(slots=True)
class _Said:
    """What one instant says of one product."""

    opens: list[Signal] = field(default_factory=list)
    closes: list[Signal] = field(default_factory=list)
    level: Signal | None = None
    was_on: bool = False
    was_read: bool = False  # the level took effect already

    @classmethod
    def of(cls, signals: Iterable[Signal]) -> Self:
        said = cls()
        for signal in signals:
            if signal.type == OPEN:
                said.opens.append(signal)
            elif signal.type == CLOSE:
                said.closes.append(signal)
            else:
                said.level = signal
        return said


@dataclass(slots=True)
class Strand:
    """One meter of one resource just before some moment, and what has followed since it was taken up.

    ``on`` holds by product what switched it on, also where it overlaps what runs and is therefore set aside;
    ``running`` is the product whose interval is believed.
    """

    on: dict[str, Signal] = field(default_factory=dict)
    running: str | None = None
    found: Pairing = field(default_factory=Pairing)

    @property
    def state(self) -> tuple[dict[str, int], str | None]:
        """What the future depends on: two strands with equal states go on alike."""
        return {product: signal.key for product, signal in self.on.items()}, self.running

    def advance(self, signals: Iterable[Signal]) -> None:
        """Go on through signals that all come later than what was seen, given in any order."""
        ordered = sorted(signals, key=attrgetter("time", "product", "order"))
        for _, instant in groupby(ordered, key=attrgetter("time")):
            told = {product: _Said.of(said) for product, said in groupby(instant, key=attrgetter("product"))}
            for product, said in told.items():
                self._end(product, said)
            for product, said in told.items():
                self._begin(product, said)

    def finish(self) -> Pairing:
        """Return what was found, what still runs included."""
        if self.running is not None:
            self.found.intervals.append(Paired(self.on[self.running], None))
        return self.found

    def _end(self, product: str, said: _Said) -> None:
        opening = self.on.get(product)
        if opening is None:
            return
        said.was_on = True
        if said.closes:
            self._close(opening, said.closes.pop(0))
        elif said.level is not None and opening.type == GAUGE:
            said.was_read = True
            if said.level.level != opening.level:
                self._close(opening, said.level)
                if said.level.level:
                    self._open(said.level)  # goes on, so nothing that opens at this instant comes before it

    def _begin(self, product: str, said: _Said) -> None:
        opening = self.on.get(product)
        if said.was_read:
            self._park(said.opens, MIXED)
        elif opening is not None:
            self._park(said.opens, MIXED if opening.type == GAUGE else DOUBLE_OPEN)
            self._park([said.level] if said.level else [], MIXED)
        else:
            self._switch_on(said)
        self._park(said.closes, ORPHAN_CLOSE)

    def _switch_on(self, said: _Said) -> None:
        if said.opens:
            first = said.opens.pop(0)
            self._park(said.opens, DOUBLE_OPEN)
            self._park([said.level] if said.level else [], MIXED)
        elif said.level is not None and said.level.level:
            first = said.level
        else:
            return
        if said.closes and not said.was_on:
            self._park([first, said.closes.pop(0)], EMPTY)
        else:
            self._open(first)

    def _open(self, opening: Signal) -> None:
        if self.running is not None:
            self._park([opening], OVERLAP)
            if opening.type == GAUGE:
                return  # its next one may find room
        else:
            self.running = opening.product
        self.on[opening.product] = opening

    def _close(self, opening: Signal, closing: Signal) -> None:
        del self.on[opening.product]
        if self.running == opening.product:
            self.running = None
            self.found.intervals.append(Paired(opening, closing))
        else:
            self._park([closing], OVERLAP)

    def _park(self, signals: Iterable[Signal], kind: str) -> None:
        self.found.problems += [Unpairable(signal, kind) for signal in signals]


def pair(signals: Iterable[Signal]) -> Pairing:
    """Pair all signals there are of any number of resources."""
    pairing = Pairing()
    ordered = sorted(signals, key=attrgetter("resource", "meter"))
    for _, of_strand in groupby(ordered, key=attrgetter("resource", "meter")):
        strand = Strand()
        strand.advance(of_strand)
        found = strand.finish()
        pairing.intervals += found.intervals
        pairing.problems += found.problems
    return pairing
