"""Every month of events has a place of its own, with everything that the whole promises."""

import json
from datetime import UTC, datetime

import pytest
from django.db import connections, transaction

from core import clock, databases
from core.periods import Month
from tests.usage.factories import measured, opened, report
from usage import intake, partitions, reading, store
from usage.models import Event, EventKey, Source

pytestmark = pytest.mark.django_db
LONG_AGO = Month(2019, 2)


def ask(statement: str) -> list[tuple[object, ...]]:
    with connections[databases.usage()].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def promises(month: str) -> list[list[tuple[object, ...]]]:
    """What the database knows of a partition, its name left out."""
    table = f"usage_event_{month}"
    asked = (
        f"select tgtype, tgfoid, tgqual from pg_trigger where tgrelid = '{table}'::regclass order by 1, 2",
        f"select conname, contype from pg_constraint where conrelid = '{table}'::regclass and contype in ('c', 'n')"
        " order by 1",
        f"select replace(indexdef, '{month}', '') from pg_indexes where tablename = '{table}' order by 1",
        f"select attname, attnotnull from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 order by 1",
    )
    return [ask(statement) for statement in asked]


class TestMade:
    def test_ahead_by_the_sweep(self) -> None:
        now = clock.database_now(databases.usage())
        ask(f"drop table usage_event_{now:%Y_%m}")
        assert partitions.missing(now) == [Month.containing(now)]
        partitions.sweep()
        assert partitions.missing(now) == []
        assert partitions.ensure(partitions.there()) == []

    def test_once_each_with_all_that_the_whole_promises(self) -> None:
        assert partitions.ensure([LONG_AGO, LONG_AGO.next, LONG_AGO]) == [LONG_AGO, LONG_AGO.next]
        assert partitions.ensure([LONG_AGO]) == []
        assert {LONG_AGO, LONG_AGO.next} <= set(partitions.there())
        now = clock.database_now(databases.usage())
        old, current = promises("2019_02"), promises(f"{now:%Y_%m}")
        assert old == current
        assert len(old[0]) == 3, "no edit and no deletion, no truncation, no event without its key"

    def test_by_intake_when_one_is_missing(self, dynos: Source) -> None:
        before = set(partitions.there())
        events = [opened(0) | {"time": f"{year}-12-31T23:59:59.999999Z", "id": str(year)} for year in (2017, 2018)]
        late = opened(0) | {"time": "2019-01-01T00:00:00Z", "id": "x"}
        answer = report(dynos, [*events, late, {"time": "2011-01-01T00:00:00Z"}])
        assert (answer.accepted, answer.rejected) == (3, 1)
        made = {Month(2017, 12), Month(2018, 12), Month(2019, 1)}
        assert set(partitions.there()) - before == made, "and none for what was refused"
        (stored,) = ask("select count(*), min(time) from only usage_event_2018_12")
        assert stored == (1, datetime(2018, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))

    def test_by_an_amendment_when_one_is_missing(self, dynos: Source) -> None:
        said = reading.read(json.dumps([opened(0) | {"time": "2018-07-01T00:00:00Z"}]).encode()).events
        with store.writing() as cursor:
            intake.restate(cursor, dynos, said, clock.database_now(databases.usage()), 7)
        assert ask("select count(*), max(amendment_id) from only usage_event_2018_07") == [(1, 7)]

    def test_by_no_one_when_all_or_nothing_is_refused(self, dynos: Source) -> None:
        report(dynos, [opened(0) | {"time": "2017-12-31T00:00:00Z"}, {}], atomic=True)
        assert not Event.objects.exists() and not EventKey.objects.exists()


def test_a_month_that_cannot_be_made_is_a_sentence(dynos: Source) -> None:
    """As when it is being moved away: the table is there and is no part of the whole."""
    partitions.ensure([LONG_AGO])
    ask("alter table usage_event detach partition usage_event_2019_02")
    with pytest.raises(intake.NoPlace, match="2019-02"):
        report(dynos, [opened(0) | {"time": "2019-02-01T00:00:00Z"}])
    assert not EventKey.objects.exists()


def test_an_event_of_a_month_that_is_gone_is_still_known(dynos: Source) -> None:
    old = measured(0, 1) | {"time": "2019-02-01T00:00:00Z"}
    report(dynos, [old])
    ask("alter table usage_event detach partition usage_event_2019_02")
    assert report(dynos, [old]).duplicate == 1
    assert report(dynos, [old | {"quantity": 2}]).conflict == 1


def test_by_resource_and_time_only_one_month_is_looked_at(dynos: Source) -> None:
    report(dynos, [measured(0, 1)])
    at = "resource = 'r1' and time = '2026-10-01'"
    plan = "\n".join(str(row[0]) for row in ask(f"explain select * from usage_event where {at} and id = 1"))
    assert "usage_event_2026_10" in plan and "usage_event_2026_11" not in plan, plan


def test_it_makes_a_partition_without_keeping_intake_waiting(dynos: Source) -> None:
    """The making holds no lock on the whole that an insertion or a reader would wait for."""
    alias = databases.usage()
    with transaction.atomic(using=alias):
        partitions.ensure([LONG_AGO])
        held = ask(
            "select mode from pg_locks where relation = 'usage_event'::regclass and pid = pg_backend_pid() and granted"
        )
    assert not {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"} & {row[0] for row in held}
