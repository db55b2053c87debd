"""What the checkers' notes and the stored rows say about each other: the verdict on "acknowledged is stored, once"."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]
TEXTS = ("component", "app", "account")
STORED = """
select s.name, e.event_id, e.type, e.time, e.resource, e.product, e.meter, e.component, e.app, e.account, e.quantity
from usage_event e join usage_source s on s.id = e.source_id
"""


@dataclass(slots=True)
class Notes:
    """What one checker wrote down."""

    source: str
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    wrong: list[Any] = field(default_factory=list)
    unanswered: int = 0
    answered: int = 0
    done: bool = False


def read(source: str, file: Path) -> Notes:
    """Read a checker's notes."""
    notes = Notes(source)
    for line in file.read_bytes().splitlines():
        said = json.loads(line)
        if "made" in said:
            notes.made[said["made"]["id"]] = said["made"]
        notes.acknowledged.update(said.get("acknowledged", ()))
        notes.given_up.update(said.get("given_up", ()))
        notes.wrong += [said] if "wrong" in said else []
        notes.unanswered += "unanswered" in said
        notes.answered += "acknowledged" in said
        notes.done |= "done" in said
    return notes


def faults(notes: Notes, rows: Iterable[Row]) -> list[str]:
    """Return what is wrong with the stored rows (STORED's columns) of a checker's source, in sentences."""
    mine = [row for row in rows if row[0] == notes.source]
    count = Counter(row[1] for row in mine)
    found = [f"{name} was acknowledged and is lost" for name in sorted(notes.acknowledged - set(count))]
    found += [f"{name} is stored {times} times" for name, times in sorted(count.items()) if times > 1]
    found += [f"{name} is stored and was never sent" for name in sorted(set(count) - set(notes.made))]
    for row in mine:
        said = notes.made.get(row[1])
        if said is not None and row != as_row(notes.source, said):
            found.append(f"{row[1]} is stored as {row}, not as it was sent")
    return found + [f"a wrong answer: {one}" for one in notes.wrong]


def as_row(source: str, said: dict[str, Any]) -> Row:
    moment = datetime.fromisoformat(said["time"].replace("Z", "+00:00"))
    quantity = Decimal(said["quantity"]) if "quantity" in said else None
    texts = tuple(said.get(name, "") for name in TEXTS)
    head = (source, said["id"], said["type"], moment, said["resource"], said["product"])
    return (*head, said.get("meter", "duration"), *texts, quantity)


def counted(notes: Sequence[Notes]) -> dict[tuple[str, str, str], tuple[int, Decimal]]:
    """Return events and quantity per source, hour and meter, as the checkers themselves count them."""
    found: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for one in notes:
        for said in one.made.values():
            cell = one.source, said["time"][:13], said.get("meter", "duration")
            events, quantity = found.get(cell, (0, Decimal(0)))
            found[cell] = events + 1, quantity + Decimal(said.get("quantity", 0))
    return found
