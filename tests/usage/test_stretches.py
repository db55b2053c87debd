"""Usage day by day from one look at each interval, against the month close's own question and a count of minutes."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.periods import Span
from tests.usage.factories import Event, closed, gauge, hour, measured, opened, settled, source
from usage import cutoff, metering, ownerships, spreading, stretches
from usage.models import Source
from usage.ownerships import Statement
from usage.spreading import Stretch

pytestmark = pytest.mark.django_db
HOURS = 12  # of the small time that is looked at, three hours to a coarse span
FINE = [Span(hour(n), hour(n + 1)) for n in range(HOURS)]
COARSE = [Span(hour(n), hour(n + 3)) for n in range(0, HOURS, 3)]
NUMBERS = count()
quarters = st.integers(-8, HOURS * 4 + 8).map(lambda number: number / 4)


@pytest.fixture
def dynos(db: None) -> Source:
    return source("dynos")


def _history(name: str, drawn: list[tuple[float, str]]) -> list[Event]:
    """One resource's life: at each moment it goes on to another product (or off), or something is measured."""
    moments = sorted({at: what for at, what in drawn}.items())
    events, running = [], ""
    for at, what in moments:
        if what == "measured":
            events.append(measured(at, "1.25", name, app="shop"))
            continue
        if running:
            events.append(closed(at, name, running))
        running = "" if what == "off" else what
        if running:
            events.append(opened(at, name, running, app="shop"))
    return events


happenings = st.lists(st.tuples(quarters, st.sampled_from(["small", "large", "off", "measured"])), max_size=9)
lives = st.lists(st.tuples(happenings, quarters), max_size=4)


@given(lives)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_answers_as_the_month_close_does(dynos: Source, drawn: list[tuple[list[tuple[float, str]], float]]) -> None:
    account = f"acme-{next(NUMBERS)}"
    for number, (life, since) in enumerate(drawn):
        name = f"{account}-{number}"
        if events := _history(name, life):
            settled(dynos, events)
        ownerships.state(Statement(f"own-{name}", account, name, "", hour(since), hour(since + 7)), by="test")
    at = cutoff.freeze()
    used = stretches.used(account, FINE, COARSE, cutoff=at)
    asked = [row._replace(inputs_hash="") for row in metering.account_usage([account], COARSE, cutoff=at)]
    assert sorted(used.rows()) == sorted(asked)
    fine = Counter[tuple[object, ...]]()
    for row in metering.account_usage([account], FINE, cutoff=at):
        fine[(row.app, row.product, row.meter, row.component), row.span] += row.seconds_or_quantity
    told = {
        (tuple(use.kind), span): amount for use in used.by_kind() for span, amount in enumerate(use.amounts) if amount
    }
    assert told == {key: amount for key, amount in fine.items() if amount}


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 100), st.integers(1, 3)), max_size=12),
    st.lists(st.integers(1, 99), unique=True, max_size=8),
)
def test_spreading_is_what_a_count_of_microseconds_says(lived: list[tuple[int, int, int]], inner: list[int]) -> None:
    edges = [0, *sorted(inner), 100]
    lived = [(start, min(start + length, 100), level) for start, length, level in lived]

    def span_of(moment: int) -> int:
        return max(place for place, edge in enumerate(edges[:-1]) if edge <= moment)

    told = [
        Stretch(False, span_of(start), span_of(end - 1), 0, Decimal(level), Decimal(level * start),
                Decimal(level * end), 1, 1)
        for start, end, level in lived
    ]  # fmt: skip
    counted = [
        sum(level for start, end, level in lived for moment in range(low, high) if start <= moment < end)
        for low, high in pairwise(edges)
    ]
    spread = spreading.per_span(spreading.used_before(told, edges))
    assert spread == [Decimal(microseconds).scaleb(-6) for microseconds in counted]


def test_a_resource_that_is_switched_often_counts_once_in_each_span(dynos: Source) -> None:
    settled(dynos, [opened(0, account="acme"), closed(1), opened(2), closed(5), opened(7)])
    used = stretches.used("acme", FINE, COARSE, cutoff=cutoff.freeze())
    assert [(row.span, row.seconds_or_quantity / 3600, row.resources, row.new_resources) for row in used.rows()] == [
        (0, 2, 1, 1), (1, 2, 1, 0), (2, 2, 1, 0), (3, 3, 1, 0),
    ]  # fmt: skip


def test_a_level_counts_as_often_as_the_gauge_said(dynos: Source) -> None:
    settled(dynos, [gauge(0, "2.5", account="acme"), gauge(4, "0.5"), gauge(6, 0)])
    at = cutoff.freeze()
    asked = [row._replace(inputs_hash="") for row in metering.account_usage(["acme"], COARSE, cutoff=at)]
    assert stretches.used("acme", FINE, COARSE, cutoff=at).rows() == asked


def test_spans_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="whole spans"):
        stretches.used("acme", FINE, [Span(hour(0), hour(0) + timedelta(minutes=90))], cutoff=hour(0))
    with pytest.raises(ValueError, match="without a gap"):
        stretches.used("acme", [FINE[0], FINE[2]], [Span(hour(0), hour(3))], cutoff=hour(0))
