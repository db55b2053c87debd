"""A production platform's month, to the cent: every account against a computation straight from the file."""

import csv
import gzip
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest

from billing.models import Invoice
from tests import factories
from tests.factories import OCTOBER
from usage import importing_trace

TRACE = Path(__file__).resolve().parents[3] / "shared" / "data" / "platform-trace-2025.csv.gz"
PRICES = {"CN": 50, "HN": 500}
MONTH = 31 * 24 * 60 * 60

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(not TRACE.exists(), reason="the trace is not part of the project"),
]


def from_the_file() -> dict[str, Decimal]:
    """What each application owes: whole seconds in the month per role, one rounded line each."""
    seconds: dict[tuple[str, str], int] = defaultdict(int)
    with gzip.open(TRACE, "rt") as file:
        for row in csv.DictReader(file):
            opened = round(float(row["creation_time"])) if row["creation_time"] else -86_400
            closed = round(float(row["deletion_time"])) if row["deletion_time"] else MONTH
            seconds[row["app_name"], row["role"]] += max(0, min(closed, MONTH) - max(opened, 0))
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for (app, role), used in seconds.items():
        cents = floor(Fraction(PRICES[role] * used * 100, MONTH) + Fraction(1, 2))
        owed[app] += Decimal(cents) / 100
    return {app: amount for app, amount in owed.items() if amount}


def test_every_account_comes_to_the_cent() -> None:
    importing_trace.import_trace(TRACE, OCTOBER)
    run = factories.close()
    billed = dict(Invoice.objects.filter(run=run).values_list("account__code", "total"))
    assert billed["app_0"] == Decimal("232678.13")
    assert billed["app_130"] == Decimal("380.04")
    assert billed == from_the_file()
    assert run.state == "closed"
