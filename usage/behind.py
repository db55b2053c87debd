"""What an amount of usage is made of: a line's seconds and quantities, piece by piece, and the events behind each."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from core.periods import Span
from usage import archives, effective, store
from usage.ownership_rules import BEGINNING
from usage.reported import DURATION
from usage.stretches import Kind

PAGE: Final = 200


class Place(NamedTuple):
    """Where a page begins: just after this piece."""

    resource: str
    measured: bool
    start: datetime
    id: int


FIRST: Final = Place("", False, BEGINNING, 0)


class EventName(NamedTuple):
    """An event by its source's name and its identifier; both are empty when its month is archived."""

    source: str
    event_id: str
    time: datetime


class Piece(NamedTuple):
    """Usage of one resource: of ``level`` during ``[start, until)``, or a quantity measured at ``start``.

    ``amount`` is seconds times level, or the quantity. ``begins`` and ``ends`` are the events that say so: an open and
    its close, the gauge's level and what changed it, or the one that was measured. What still runs has no end.
    """

    resource: str
    measured: bool
    start: datetime
    until: datetime | None
    level: Decimal
    amount: Decimal
    begins: EventName
    ends: EventName | None
    place: Place


def pieces(
    account: str, kind: Kind, span: Span, *, cutoff: datetime, after: Place = FIRST, most: int = PAGE
) -> list[Piece]:
    """Return up to ``most`` pieces beyond ``after`` of what an account used of one kind in ``span``, as known then.

    In order of resource and time. All of them add up to what ``account_usage`` says for the same cut-off, so a line's
    pieces are those of its account, kind, priced time and its run's cut-off. Raises Archived for what was measured in
    a month whose events are in the archive; running time stays.
    """
    if kind.meter not in ("", DURATION):
        archives.need(span.start, span.end, "What an amount is made of")
    named = kind._asdict() | {"account": account, "first": span.start, "last": span.end, "cutoff": cutoff, "most": most}
    named |= {f"after_{name}": value for name, value in after._asdict().items()}
    with store.cursor() as cursor:
        rows = cursor.execute(effective.statement("pieces_behind"), named).fetchall()
    return [_piece(*row) for row in rows]


def every_piece(account: str, kind: Kind, span: Span, *, cutoff: datetime) -> Iterator[Piece]:
    """Yield all pieces, a page at a time."""
    after = FIRST
    while page := pieces(account, kind, span, cutoff=cutoff, after=after):
        yield from page
        after = page[-1].place


def _piece(
    resource: str,
    measured: bool,
    start: datetime,
    until: datetime | None,
    level: Decimal,
    amount: Decimal,
    key: int,
    source: str | None,
    event_id: str | None,
    begun: datetime,
    end_source: str | None,
    end_id: str | None,
    ended: datetime | None,
) -> Piece:
    begins = EventName(source or "", event_id or "", begun)
    ends = None if ended is None else EventName(end_source or "", end_id or "", ended)
    place = Place(resource, measured, start, key)
    return Piece(resource, measured, start, until, level, amount, begins, ends, place)
