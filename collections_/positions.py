"""Where invoices stand on their ladder: read set-based, decided by the pure ``collections_.dunning``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from collections_ import dunning, policies
from collections_.declines import DeclineClass
from collections_.dunning import Decision, Position
from core import sql

CHUNK = 2000  # invoices


@dataclass(frozen=True, slots=True)
class Owed:
    """One invoice that is due and not settled, with everything that decides about it. Amounts in ``currency``."""

    id: int
    number: str
    account_id: int
    account_code: str
    account_name: str
    email: str
    currency: str
    due_on: date
    outstanding: Decimal
    case_id: int | None  # the open case of its account and currency
    policy_id: int | None  # that case's
    taken: Mapping[str, str]  # step name → ISO day
    hold_until: date | None
    promise_until: date | None
    unanswered: bool
    method_id: int | None  # the card to charge; None when there is none that is good today
    last4: str | None
    last_decline: str | None  # of that card: for this invoice, or for any when it must never be tried again

    def decide(self, policy_id: int, as_of: date) -> Decision:
        """Return the next rung on ``as_of``; ``policy_id`` is the ladder of those who have no case yet."""
        ladder = policies.ladder(self.policy_id or policy_id)
        taken = {name: date.fromisoformat(day) for name, day in self.taken.items()}
        if as_of in taken.values():  # also when a day is run twice
            return Decision(None, "a step was taken today")
        return dunning.next_step(ladder, self._position(taken), as_of=as_of)

    def _position(self, taken: Mapping[str, date]) -> Position:
        # Without a card that is good, a charge cannot succeed, just as after a decline that only the customer can mend.
        cannot = DeclineClass.NEEDS_CUSTOMER if self.method_id is None else None
        return Position(
            due_on=self.due_on,
            outstanding=self.outstanding,
            taken=taken,
            hold_until=self.hold_until,
            promise_until=self.promise_until,
            unknown_payment=self.unanswered,
            last_decline=DeclineClass(self.last_decline) if self.last_decline else cannot,
        )


def due(as_of: date, *, some: Sequence[int] | None = None, chunk: int = CHUNK) -> Iterator[list[Owed]]:
    """Yield the invoices due by ``as_of`` that are not settled, in chunks by id; ``some`` narrows to those ids.

    Each chunk is read when it is asked for, so that it sees what was done about the one before.
    """
    after = 0
    while rows := _read({"as_of": as_of, "after": after, "some": None if some is None else list(some), "size": chunk}):
        yield rows
        after = rows[-1].id


def _read(parameters: Mapping[str, Any]) -> list[Owed]:
    with connection.cursor() as cursor:
        cursor.execute(sql.load("collections_", "positions"), parameters)
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [Owed(**row | {"taken": json.loads(row["taken"])}) for row in rows]  # Django leaves jsonb as text
