"""What was refused, kept whole until a person has decided: nothing that a source sent disappears in silence."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from core.sql import load
from usage.models import Source
from usage.reported import Refusal
from usage.store import Cursor

LONGEST: Final = 65_536  # characters of a body that are kept


def keep(cursor: Cursor, source: Source, refused: Sequence[Refusal], now: datetime) -> None:
    """Keep ``refused`` in the running transaction; what is there already, for the same reason, is kept once."""
    if not refused:
        return
    kept = {(hashlib.sha256(r.body.encode()).hexdigest(), r.code): r for r in reversed(refused)}
    rows = [(digest, code, kept[digest, code]) for digest, code in sorted(kept)]
    parameters = {
        "source": source.pk,
        "received_at": now,
        "body_hash": [digest for digest, _, _ in rows],
        "event_id": [r.id for _, _, r in rows],
        "body": [r.body[:LONGEST] for _, _, r in rows],
        "code": [r.code for _, _, r in rows],
        "field": [r.field for _, _, r in rows],
        "detail": [r.detail for _, _, r in rows],
    }
    cursor.execute(load("usage", "quarantine_events").encode(), parameters)
