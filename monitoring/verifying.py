"""Verify the books: run every invariant and keep the result, so that the last one has an age."""

from collections.abc import Callable

from django.db import connections

from core import clock
from core.sql import load
from monitoring import invariants
from monitoring.invariants import Finding
from monitoring.models import Verification


def verify(*, progress: Callable[[str], None] = lambda text: None) -> list[Finding]:
    """Run every invariant query, record the result and return the findings. A repeat records another result."""
    _know_the_tables()
    findings = []
    known = invariants.collect()
    for number, invariant in enumerate(known, start=1):
        progress(f"{number}/{len(known)} {invariant.name}")
        findings.append(invariants.check(invariant))
    progress("")
    broken = [finding.invariant.name for finding in findings if not finding.holds]
    Verification.objects.create(at=clock.now(), checked=len(findings), broken=broken)
    return findings


def _know_the_tables() -> None:
    """Gather statistics of tables that have none yet: right after a large load the plans would take minutes."""
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute(load("monitoring", "unknown_tables"))
            for (table,) in cursor.fetchall():
                cursor.execute(f"analyze {table}")
