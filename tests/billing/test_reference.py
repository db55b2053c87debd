"""The run against the slow reference biller on random small platforms: every line, credit, tax and total."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from billing import crediting
from billing.models import Run, RunAccount
from core.periods import Month
from monitoring import invariants
from tests import factories
from tests.reference.biller import FLAT, MONTHLY, Bill, Resource, Segment, two_months
from usage import ownerships

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)
EPOCH = SEPTEMBER.start - timedelta(days=2)
LAST = int((OCTOBER.end - EPOCH).total_seconds()) - 1
ACCOUNTS = {"acme": ("DC", Fraction(6, 100)), "globex": ("", Fraction(0)), "initech": ("DC", Fraction(6, 100))}
PRODUCTS = sorted({**MONTHLY, **FLAT})
Draw = Callable[..., Any]


@st.composite
def resources(draw: Draw, number: int) -> Resource:
    """A resource with up to three segments, often at a month's edge, sometimes late, sometimes handed over."""
    edges = [int((moment - EPOCH).total_seconds()) for moment in (SEPTEMBER.start, SEPTEMBER.end)]
    moments = st.one_of(st.integers(0, LAST), st.sampled_from([*edges, edges[1] - 1, edges[1] + 1]))
    count = draw(st.integers(1, 3))
    cuts = sorted(draw(st.sets(moments, min_size=2 * count, max_size=2 * count)))
    segments = []
    for place in range(count):
        opened, closed = cuts[2 * place], cuts[2 * place + 1]
        stays = place == count - 1 and draw(st.booleans())
        late = draw(st.sampled_from(["", "", "", "all", "close"])) if opened < edges[1] else ""
        if late == "close" and (stays or place < count - 1 or closed >= edges[1]):
            late = ""  # an open that was never closed would overlap the next one
        segments.append(Segment(draw(st.sampled_from(PRODUCTS)), opened, None if stays else closed, late))
    owner, taker = draw(st.sampled_from(sorted(ACCOUNTS))), ""
    taken_at = 0
    if not segments[0].late and draw(st.booleans()):
        taker = draw(st.sampled_from([name for name in sorted(ACCOUNTS) if name != owner]))
        taken_at = draw(st.integers(segments[0].opened + 1, LAST))
    app, process = draw(st.sampled_from(["api", "shop"])), draw(st.sampled_from(["", "web"]))
    return Resource(f"r{number}", app, process, owner, tuple(segments), taker, taken_at)


@st.composite
def platforms(draw: Draw) -> list[Resource]:
    return [draw(resources(number)) for number in range(draw(st.integers(1, 6)))]


def report(platform: list[Resource], *, late: bool) -> None:
    """Send what the source says in time, or the rest of it."""
    events = []
    for resource in platform:
        for segment in resource.segments:
            said = {"resource": resource.name, "product": segment.product, "component": resource.process}
            said = {name: value for name, value in said.items() if value}
            name = f"{resource.name}:{segment.opened}"
            opening = {"id": f"{name}:o", "type": "open", "time": moment(segment.opened), "app": resource.app}
            if late == (segment.late == "all"):
                events.append(said | opening | {"account": resource.owner})
            if segment.closed is not None and late == bool(segment.late):
                events.append(said | {"id": f"{name}:c", "type": "close", "time": moment(segment.closed)})
    if events:
        factories.use(events)


def moment(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def as_bill(run: Run, account: Account) -> Bill | None:
    made = RunAccount.objects.get(run=run, account=account).invoice
    if made is None:
        return None
    amounts = sorted(Fraction(line.amount) for line in made.lines.all() if line.amount)
    return Bill(amounts, *map(Fraction, (made.subtotal, made.credits, made.tax, made.total)))


@settings(
    max_examples=int(os.environ.get("VAULT_EXAMPLES", "20")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(platform=platforms(), credit=st.integers(0, 12000))
def test_the_run_agrees_with_the_reference(platform: list[Resource], credit: int) -> None:
    with transaction.atomic():
        try:
            compare(platform, Decimal(credit) / 100)
        finally:
            transaction.set_rollback(True)


def compare(platform: list[Resource], credit: Decimal) -> None:
    factories.staff()
    accounts = {name: factories.account(name, region=region) for name, (region, _) in ACCOUNTS.items()}
    if credit:
        crediting.request(accounts["acme"].pk, credit, reason="welcome", actor=factories.ADA)
    report(platform, late=False)
    for resource in platform:
        if resource.taker:
            at = EPOCH + timedelta(seconds=resource.taken_at)
            ownerships.transfer(resource=resource.name, giver=resource.owner, taker=resource.taker, at=at, by="t")
    first = factories.close(SEPTEMBER, date(2026, 10, 1))
    report(platform, late=True)
    second = factories.build(OCTOBER)
    months = [
        tuple(int((m - EPOCH).total_seconds()) for m in (month.start, month.end)) for month in (SEPTEMBER, OCTOBER)
    ]
    for name, (_, rate) in ACCOUNTS.items():
        balance = Fraction(credit) if name == "acme" else Fraction(0)
        expected = two_months(platform, name, months, balance, rate)  # type: ignore[arg-type]
        assert [as_bill(first, accounts[name]), as_bill(second, accounts[name])] == expected
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate; set constraints all deferred")
    assert [one.name for one in invariants.collect() if not invariants.check(one).holds] == []
