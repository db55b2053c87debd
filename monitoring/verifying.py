"""Verify the books: run every invariant, look at the files of archived usage, and keep the result with its age."""

import time
from collections.abc import Callable
from typing import Final

from django.db import connections

from core import clock
from core.sql import load
from monitoring import invariants
from monitoring.invariants import Finding, Invariant
from monitoring.models import Verification
from usage import archives
from usage.models import ArchiveState, MonthArchive

ARCHIVES: Final = Invariant(
    "usage/archive_files", "R-10", "The file of every archived month is there, as it was verified.", "", "usage"
)


def verify(*, deep: bool = False, progress: Callable[[str], None] = lambda text: None) -> list[Finding]:
    """Run every invariant query, record the result and return the findings. A repeat records another result.

    ``deep`` also reads every archived event and compares its file's content, which takes minutes for large months.
    """
    _know_the_tables()
    findings = []
    known = invariants.collect()
    for number, invariant in enumerate(known, start=1):
        progress(f"{number}/{len(known)} {invariant.name}")
        findings.append(invariants.check(invariant))
    findings += _archive_files(deep, progress)
    progress("")
    broken = [finding.invariant.name for finding in findings if not finding.holds]
    Verification.objects.create(at=clock.now(), checked=len(findings), broken=broken)
    return findings


def _archive_files(deep: bool, progress: Callable[[str], None]) -> list[Finding]:
    """Look at the files of archived months, if there are any: a query cannot."""
    if not MonthArchive.objects.filter(state=ArchiveState.ARCHIVED).exists():
        return []
    progress(ARCHIVES.name)
    started = time.monotonic()
    rows = tuple((sentence,) for sentence in archives.damaged(deep=deep))
    shown = rows[: invariants.SHOWN_ROWS]
    return [Finding(ARCHIVES, ("finding",), shown, len(rows) > len(shown), time.monotonic() - started)]


def _know_the_tables() -> None:
    """Gather statistics of tables that have none yet: right after a large load the plans would take minutes."""
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute(load("monitoring", "unknown_tables"))
            for (table,) in cursor.fetchall():
                cursor.execute(f"analyze {table}")
