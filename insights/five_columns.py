"""Manifest, received, paired, rated, billed: five counts of one hour that must agree, and why they do not. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from core.exact import EXACT, ZERO
from core.formatting import quantity as number
from core.periods import Month
from usage import agreement
from usage.agreement import Difference, Statement, Sums

COLUMNS: Final = ("manifest", "received", "paired", "rated", "billed")
AGREES: Final = "agrees"
WAITS: Final = "waits"
DIFFERS: Final = "differs"

PAIRED: Final = "paired"
BILLED: Final = "billed"
# What stops an event on its way, in words; where it stops decides the column that lacks it.
UNPAIRED: Final[Mapping[str, str]] = {
    "waiting": "waiting to be paired",
    "orphan_close": "closing what was never opened",
    "double_open": "opening what was open already",
    "overlap": "overlapping another product",
    "empty": "opened and closed at one instant, which is nothing to bill",
    "mixed": "switched and sampled at once, where one of the two must be",
    "amended": "given way to a correction, which says what counts instead",
    "forgotten": "in no interval, and nobody knows why",
}
UNRATED: Final[Mapping[str, str]] = {
    "unowned": "of a resource that nobody owned",
    "stranger": "of an account that does not exist here",
    "unpriced": "of a product without a price in the account's currency",
}
UNBILLED: Final[Mapping[str, str]] = {
    "month_open": "of a month that is not issued yet",
    "held": "of an account that is held or failed in the month's run",
    "given_up": "of an account that was given up in the month's run; its next invoice bills it",
    "void": "on an invoice that was voided",
    "late": "known only after the cut-off; the account's next invoice adjusts for it",
    "too_late": "known only after the last run that looked at the month; nobody is billed for it by itself",
    "unbilled": "known at the cut-off, but without a line for the product on the invoice",
}
HEALS: Final = frozenset(("waiting", "month_open", "given_up", "late", "young"))  # time alone mends these
ARCHIVED: Final = "archived"
HARMLESS: Final = frozenset(("empty", "amended", ARCHIVED))
MISCOUNTED: Final = "miscounted"
NOT_THE_SAME: Final = "The totals and the events do not agree."

Cell = tuple[int, datetime, str]  # source (row), hour, meter


class Column(NamedTuple):
    """How many events of a cell a column has, and what their measured quantities sum to."""

    events: int
    quantity: Decimal

    def plus(self, other: "Column") -> "Column":
        return Column(self.events + other.events, EXACT.add(self.quantity, other.quantity))


EMPTY: Final = Column(0, ZERO)


class Fate(NamedTuple):
    """Some events of one cell, and where they are: billed, or what stopped them (a key of the tables above)."""

    cell: Cell
    stop: str
    column: Column


class Arrived(NamedTuple):
    """What was received for one cell, with the sum of the hashes of its event ids."""

    sums: Sums
    hash: int


@dataclass(slots=True)
class Row:
    """One meter of one hour of one source. ``manifest`` is None when the source stated nothing about the hour."""

    source: str
    hour: datetime
    meter: str
    manifest: Column | None
    received: Column
    paired: Column = EMPTY
    rated: Column = EMPTY
    billed: Column = EMPTY
    differences: list[Difference] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Agrees; waits, when time alone mends every difference; differs, when a person must look."""
        kinds = {one.kind for one in self.differences} - HARMLESS
        if not kinds:
            return AGREES
        return WAITS if kinds <= HEALS else DIFFERS

    def columns(self) -> dict[str, Column | None]:
        return {name: getattr(self, name) for name in COLUMNS}


@dataclass(frozen=True, slots=True)
class Sides:
    """Everything known about some hours, by the one who knows it."""

    names: Mapping[int, str]  # sources by row
    stated: Mapping[tuple[int, datetime], Statement]
    received: Mapping[Cell, Arrived]
    refused: Counter[Cell]
    fates: Iterable[Fate]
    archived: Collection[Month]  # whose measured events are in a file


def rows(sides: Sides, expects: Callable[[int, datetime], str]) -> list[Row]:
    """Return a row per source, hour and meter, newest first.

    ``expects`` says of an hour without a manifest what that is: nothing (empty text), young, or unstated.
    """
    columns = _columns(sides.fates)
    cells = set(sides.received) | set(columns) | _stated_cells(sides.stated)
    found = [_row(cell, sides, columns.get(cell, {}), expects) for cell in cells]
    _exchanged(found, sides)
    return sorted(found, key=lambda row: (-row.hour.timestamp(), row.source, row.meter))


def _stated_cells(stated: Mapping[tuple[int, datetime], Statement]) -> set[Cell]:
    return {(source, hour, meter) for (source, hour), one in stated.items() for meter in one.meters or ("",)}


def _columns(fates: Iterable[Fate]) -> Mapping[Cell, dict[str, Column]]:
    found: dict[Cell, dict[str, Column]] = defaultdict(dict)
    for fate in fates:
        stops = found[fate.cell]
        stops[fate.stop] = stops.get(fate.stop, EMPTY).plus(fate.column)
    return found


def _row(cell: Cell, sides: Sides, stops: Mapping[str, Column], expects: Callable[[int, datetime], str]) -> Row:
    source, hour, meter = cell
    statement = sides.stated.get((source, hour))
    arrived = sides.received.get(cell, Arrived(Sums(), 0)).sums
    stated = statement.meters.get(meter, Sums()) if statement else None
    row = Row(
        sides.names[source],
        hour,
        meter,
        Column(stated.events, stated.quantity) if stated is not None else None,
        Column(arrived.events, arrived.quantity),
        billed=stops.get(BILLED, EMPTY),
    )
    row.rated = _sum(stops, UNBILLED, row.billed)
    row.paired = _sum(stops, UNRATED, row.rated)
    if stated is not None:
        row.differences += agreement.arrival(stated, arrived, quarantined=sides.refused[cell])
    elif kind := expects(source, hour):
        row.differences.append(Difference(kind, 0, ZERO, "The source stated nothing about this hour."))
    row.differences += _stopped(stops)
    placed = _sum(stops, UNPAIRED, row.paired)
    if placed != row.received:
        events, more = row.received.events - placed.events, EXACT.subtract(row.received.quantity, placed.quantity)
        away = events > 0 and any(month.start <= hour < month.end for month in sides.archived)
        sentence = f"{number(events)} in the archive of their month." if away else NOT_THE_SAME
        row.differences.append(Difference(ARCHIVED if away else MISCOUNTED, events, more, sentence))
    return row


def _sum(stops: Mapping[str, Column], kinds: Iterable[str], rest: Column) -> Column:
    for kind in kinds:
        rest = rest.plus(stops.get(kind, EMPTY))
    return rest


def _stopped(stops: Mapping[str, Column]) -> list[Difference]:
    words = {**UNPAIRED, **UNRATED, **UNBILLED}
    return [
        Difference(kind, *stops[kind], f"{number(stops[kind].events)} {sentence}.")
        for kind, sentence in words.items()
        if kind in stops
    ]


def _exchanged(found: Iterable[Row], sides: Sides) -> None:
    """Note hours in which as many events arrived as were stated, and the same sums, but not the same events."""
    hashes: dict[tuple[str, datetime], int] = defaultdict(int)
    for (source, hour, _), arrived in sides.received.items():
        hashes[sides.names[source], hour] += arrived.hash
    arrival = {agreement.MISSING, agreement.EXTRA, agreement.ALTERED, agreement.QUARANTINED}
    by_hour: dict[tuple[str, datetime], list[Row]] = defaultdict(list)
    for row in found:
        by_hour[row.source, row.hour].append(row)
    for (source, hour), statement in sides.stated.items():
        key = sides.names[source], hour
        known = {difference.kind for row in by_hour[key] for difference in row.differences}
        if not known & arrival and agreement.written(hashes[key]) != statement.hash:
            sentence = "As many arrived as the manifest states, but not the same events: the hash differs."
            by_hour[key][0].differences.append(Difference(agreement.EXCHANGED, 0, ZERO, sentence))
