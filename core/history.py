"""What happened to one row, told from its audit trail for a page's timeline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.models import AuditEntry

MOST: Final = 100  # entries on a page; the audit's own page has all


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline, as ``components/timeline.html`` shows it."""

    at: datetime
    actor: str
    what: str
    reason: str


def of(table: str, row: object, *, added: str) -> list[Entry]:
    """Return what happened to a row of ``table``, newest first; ``added`` says what its first entry was."""
    entries = AuditEntry.objects.filter(table=table, row=str(row)).order_by("-pk")[:MOST]
    return [Entry(e.at, e.actor.removeprefix("user:"), _what(e, added), e.reason) for e in entries]


def _what(entry: AuditEntry, added: str) -> str:
    before, after = entry.before or {}, entry.after or {}
    if entry.operation == "insert":
        return added
    if "state" in after and after["state"] != before.get("state"):
        return f"{str(before.get('state', '')).capitalize()} → {after['state']}"
    changes = (
        f"{name.replace('_', ' ')}: {_shown(before.get(name))} → {_shown(after[name])}" for name in sorted(after)
    )
    return "; ".join(changes).capitalize() or "Changed"


def _shown(value: object) -> str:
    return "—" if value in (None, "") else str(value)
