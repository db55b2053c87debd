"""The invariants as queries that must return no rows: each app keeps its own in ``<app>/invariants/``."""

import re
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.db import connections, transaction

from core import databases

ROOT: Final = Path(__file__).resolve().parent.parent
APPS: Final = ("core", "accounts", "usage", "billing", "collections_", "insights", "monitoring")
SHOWN_ROWS: Final = 20
_HEADER: Final = re.compile(r"^-- (?P<code>R-\d+)\s+(?P<sentence>.+)$")


@dataclass(frozen=True, slots=True)
class Invariant:
    """One query, what it proves, and which database it asks ("default" or "usage")."""

    name: str  # app/file
    code: str  # R-01 … as docs/invariants.md numbers them
    sentence: str
    sql: str
    database: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant's query returned: no rows means that it holds."""

    invariant: Invariant
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]  # the first SHOWN_ROWS
    more: bool  # whether there were others
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.rows


@cache
def collect() -> tuple[Invariant, ...]:
    """Return every app's invariants in a stable order; a file without a proper header is an error."""
    files = [path for app in APPS for path in sorted((ROOT / app / "invariants").glob("*.sql"))]
    return tuple(_read(path) for path in files)


def check(invariant: Invariant) -> Finding:
    """Run one invariant's query, read-only, and return what it found."""
    alias = databases.usage() if invariant.database == "usage" else "default"
    started = time.monotonic()
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(invariant.sql)
        rows = cursor.fetchmany(SHOWN_ROWS + 1)
        columns = tuple(column[0] for column in cursor.description)
    seconds = time.monotonic() - started
    return Finding(invariant, columns, tuple(rows[:SHOWN_ROWS]), len(rows) > SHOWN_ROWS, seconds)


def _read(path: Path) -> Invariant:
    lines = path.read_text().splitlines()
    header = _HEADER.match(lines[0]) if lines else None
    if header is None:
        raise ValueError(f"{path.name}: the first line must read `-- R-xx What must be true.`")
    database = "usage" if len(lines) > 1 and lines[1].strip() == "-- database: usage" else "default"
    return Invariant(
        f"{path.parent.parent.name}/{path.stem}", header["code"], header["sentence"], "\n".join(lines), database
    )
