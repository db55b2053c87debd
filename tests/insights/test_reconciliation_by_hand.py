"""The five columns against counting by hand: every event of a few hours, whoever owns it, amended, lost or folded."""

from collections import Counter
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from core import databases
from core.periods import Span
from insights import reconciliation
from tests import factories
from tests.insights.test_reconciliation import NOW
from tests.usage.factories import amended, hour, measured, opened, report, settled, source
from tests.usage.test_manifests import manifest
from usage import hour_totals, manifests
from usage.agreement import read
from usage.models import Source

pytestmark = pytest.mark.django_db
OWNERS = {"mine": "acme", "theirs": "ghost", "nobody's": ""}  # ghost is no account of ours
PRICED = {"standard-1x": True, "no-such-product": False}


class Said(NamedTuple):
    """One measured event, in which hour, and whether it was lost on the way."""

    at: int
    resource: str
    product: str
    lost: bool


EVENTS = st.lists(
    st.builds(Said, st.integers(1, 2), st.sampled_from(sorted(OWNERS)), st.sampled_from(sorted(PRICED)), st.booleans()),
    min_size=3,
    max_size=9,
)


def by_hand(said: list[Said], amended_hour: int | None) -> dict[int, tuple[int, int, int, int, Counter[str]]]:
    """Per hour: manifest, received, paired, rated, and what explains the difference."""
    found = {}
    for at in {one.at for one in said}:
        here = [one for one in said if one.at == at]
        came = [one for one in here if not one.lost]
        counting = [one for one in came if not (at == amended_hour and one.resource == "mine")]
        rated = [one for one in counting if OWNERS[one.resource] == "acme" and PRICED[one.product]]
        why: Counter[str] = Counter()
        why["missing"] = len(here) - len(came)
        why["amended"] = len(came) - len(counting)
        why["unowned"] = sum(1 for one in counting if not OWNERS[one.resource])
        why["stranger"] = sum(1 for one in counting if OWNERS[one.resource] == "ghost")
        why["unpriced"] = sum(1 for one in counting if OWNERS[one.resource] == "acme" and not PRICED[one.product])
        why["month_open"] = len(rated)
        found[at] = (len(here), len(came), len(counting), len(rated), +why)
    return found


def event(number: int, one: Said) -> dict[str, Any]:
    return measured(one.at + number / 100, "1.5", one.resource, one.product, id=f"e{number}")


def told(reporter: Source, said: list[Said]) -> None:
    """Report what was not lost, and state everything."""
    report(reporter, [event(number, one) for number, one in enumerate(said) if not one.lost])
    for at in {one.at for one in said}:
        ids = [f"e{number}" for number, one in enumerate(said) if one.at == at]
        sums = {"requests": {"measured": len(ids), "quantity": str(1.5 * len(ids))}}
        manifests.state(reporter, read(manifest(ids, sums, at)))


@settings(max_examples=80, deadline=None)
@given(EVENTS, st.none() | st.integers(1, 2), st.booleans())
def test_they_are_what_counting_by_hand_says(said: list[Said], amended_hour: int | None, folds: bool) -> None:
    with transaction.atomic(using=databases.usage()), transaction.atomic():
        factories.account("acme")
        reporter = source()
        settled(reporter, [opened(0.5, name, account=owner) for name, owner in OWNERS.items() if owner])
        told(reporter, said)
        if folds:
            hour_totals.fold()
        if amended_hour is not None:
            amended(reporter, amended_hour, amended_hour + 1, [], resource="mine")
        found = {}
        for row in reconciliation.reconcile([reporter], Span(hour(1), hour(4)), now=NOW).rows:
            columns = [column.events if column else 0 for column in row.columns().values()]
            why = Counter({one.kind: one.events for one in row.differences if one.events})
            found[row.hour] = (*columns[:4], why)
            assert columns[4] == 0
        assert found == {hour(at): counted for at, counted in by_hand(said, amended_hour).items()}
        transaction.set_rollback(True, using=databases.usage())
        transaction.set_rollback(True)
