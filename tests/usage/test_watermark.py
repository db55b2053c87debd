"""The watermark: the last hour up to which every manifest agrees, or when a source without manifests was heard."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from core import databases
from tests.usage.factories import closed, hour, measured, opened, report, source
from tests.usage.test_manifests import manifest
from usage import hour_totals, manifests, sources, watching, watermark
from usage.agreement import read
from usage.models import Source
from usage.watermark import Watermark

pytestmark = pytest.mark.django_db
NOW = hour(30)


def state(one: Source, ids: list[str], meters: dict[str, Any], at: float) -> None:
    manifests.state(one, read(manifest(ids, meters, at)))


def until(one: Source, now: datetime = NOW) -> datetime | None:
    return watermark.of(Source.objects.get(pk=one.pk), now=now).until


@pytest.fixture
def dynos() -> Source:
    """Three hours that agree: one opened, nothing, two meters."""
    one = source()
    report(one, [opened(0.5, id="o"), closed(2.5, id="c"), measured(2.6, "1.5", id="m")])
    state(one, ["o"], {"duration": {"opens": 1}}, 0)
    state(one, [], {}, 1)
    state(one, ["m", "c"], {"duration": {"closes": 1}, "requests": {"measured": 1, "quantity": "1.500"}}, 2)
    return one


class TestManifests:
    def test_it_reaches_as_far_as_they_agree(self, dynos: Source) -> None:
        assert until(dynos) == hour(3)
        hour_totals.fold()
        assert until(dynos) == hour(3)

    def test_a_gap_stops_it_until_it_is_filled(self, dynos: Source) -> None:
        state(dynos, [], {}, 4)
        assert until(dynos) == hour(3)
        state(dynos, [], {}, 3)
        assert until(dynos) == hour(5)

    @pytest.mark.parametrize(
        ("ids", "meters"),
        [
            (["o", "lost"], {"duration": {"opens": 2}}),  # one was lost
            ([], {}),  # one too many
            (["o"], {"duration": {"closes": 1}}),  # another kind
            (["o"], {"other": {"opens": 1}}),  # another meter
            (["x"], {"duration": {"opens": 1}}),  # another event
        ],
    )
    def test_whatever_does_not_agree_stops_it(self, dynos: Source, ids: list[str], meters: dict[str, Any]) -> None:
        state(dynos, ids, meters, 0)
        assert until(dynos) == hour(0)
        state(dynos, ["o"], {"duration": {"opens": 1}}, 0)
        assert until(dynos) == hour(3)

    def test_a_tampered_sum_stops_it(self, dynos: Source) -> None:
        state(dynos, ["m", "c"], {"duration": {"closes": 1}, "requests": {"measured": 1, "quantity": "1.51"}}, 2)
        assert until(dynos) == hour(2)

    def test_an_event_after_its_hour_was_confirmed_stops_it(self, dynos: Source) -> None:
        hour_totals.fold()
        report(dynos, [measured(1.5, "1", id="late")])
        assert until(dynos) == hour(1)

    def test_a_source_that_stopped_stating_long_ago_is_not_confirmed_by_it(self, dynos: Source) -> None:
        later = hour(24 * 90)
        assert until(dynos, later) == later - watermark.BACK + timedelta(hours=1)

    def test_one_source_says_nothing_about_another(self, dynos: Source) -> None:
        other = source("other")
        state(other, ["o"], {"duration": {"opens": 1}}, 0)
        assert (until(dynos), until(other)) == (hour(3), hour(0))


class Hour(NamedTuple):
    """What a source sent and stated of one hour, by the ids of its events; stated: None for nothing."""

    sent: frozenset[str]
    stated: frozenset[str] | None


IDS = st.frozensets(st.sampled_from("abc"), max_size=3)
HOURS = st.lists(st.builds(Hour, IDS, st.none() | IDS), min_size=1, max_size=6)


def expected_watermark(hours: list[Hour]) -> int | None:
    """By hand: the hours, from the first that was stated on, that were stated as they were sent."""
    stated = [at for at, one in enumerate(hours) if one.stated is not None]
    if not stated:
        return None
    at = stated[0]
    while at < len(hours) and hours[at].stated == hours[at].sent:
        at += 1
    return at


@settings(max_examples=60, deadline=None)
@given(HOURS, st.integers(0, 6))
def test_it_is_what_counting_by_hand_says(hours: list[Hour], folded: int) -> None:
    with transaction.atomic(using=databases.usage()), transaction.atomic():
        one = source()
        for at, of_hour in enumerate(hours):
            report(one, [measured(at + 0.5, "1", id=f"{at}{name}") for name in sorted(of_hour.sent)])
            if at == folded:
                hour_totals.fold()
        said = [
            read(manifest([f"{at}{name}" for name in of_hour.stated], _counts(len(of_hour.stated)), at))
            for at, of_hour in enumerate(hours)
            if of_hour.stated is not None
        ]
        if said:
            manifests.state_all(one, said)
        mark = watermark.of(one, now=NOW)
        wanted = expected_watermark(hours)
        assert (mark.basis == "manifests") == (wanted is not None)
        assert wanted is None or mark.until == hour(wanted)
        transaction.set_rollback(True, using=databases.usage())
        transaction.set_rollback(True)


def _counts(events: int) -> dict[str, Any]:
    return {"requests": {"measured": events, "quantity": str(events)}} if events else {}


class TestHeard:
    def test_never_heard(self) -> None:
        assert watermark.of(source(), now=NOW) == Watermark(None, "never heard")
        assert not Watermark(None, "never heard").confirms(NOW)

    def test_the_last_word_less_the_lateness(self) -> None:
        one = source(lateness_seconds=600)
        at = sources.heartbeat(one)
        mark = watermark.of(Source.objects.get(), now=at)
        assert mark == Watermark(at - timedelta(minutes=10), "heard")
        assert mark.confirms(at - timedelta(minutes=10)) and not mark.confirms(at - timedelta(minutes=9))


def test_operators_see_it(dynos: Source) -> None:
    watched = watching.sources(now=datetime.now(UTC))
    assert [one.watermark.basis for one in watched] == ["manifests"]
    assert watching.source(dynos, now=NOW).watermark.until == hour(3)


def test_what_is_remembered_moves_on_with_manifests_and_with_the_totals(dynos: Source) -> None:
    def lately() -> datetime | None:
        return watermark.lately([Source.objects.get(pk=dynos.pk)], now=NOW)[dynos.pk].until

    assert lately() == until(dynos) == hour(3)
    state(dynos, [], {}, 3)
    assert lately() == hour(4)
    report(dynos, [measured(1.5, "1", id="late")])
    assert until(dynos) == hour(1)  # what a month is closed on knows at once
    hour_totals.fold()
    assert lately() == hour(1)
