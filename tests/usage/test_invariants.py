"""The invariants of usage: silent where all is well, and loud after any tampering that gets past the triggers."""

import pytest
from django.db import connections, transaction

from core import databases
from core.sql import ROOT
from monitoring import invariants
from tests.usage.factories import closed, gauge, measured, opened, report, settled, source
from usage import hour_totals
from usage.models import Source

pytestmark = pytest.mark.django_db
OURS = {one.name.removeprefix("usage/"): one for one in invariants.collect() if one.name.startswith("usage/")}
INTERVAL, EVENT = "update usage_interval set", "update usage_event set"
ARCHIVED = "insert into usage_montharchive (month, state, file, rows, kept, size, content_hash, sums, started_at,"
ARCHIVED += " started_by, archived_at, restored_by) values ('2026-10-01', 'archived', 'x', 0, 0, 1, repeat('0', 64),"
ARCHIVED += " '{}', now(), 'x', now(), '')"
TAMPERING = {
    "archived_months_take_no_events": ARCHIVED,
    "archives_hold_what_was_counted": ARCHIVED,
    "event_stored_once": f"{EVENT} source_id = 0",
    "intervals_do_not_overlap": "alter table usage_interval drop constraint one_interval_at_a_time;"
    f" {INTERVAL} opened = opened - interval '9 hours' where closed is null",
    "owners_do_not_overlap": "alter table usage_ownership drop constraint one_owner_at_a_time; insert into"
    " usage_ownership (reference, resource, account, app, start, recorded_at, recorded_by) select 'x', resource, 'eve',"
    " '', start, now(), 'x' from usage_ownership limit 1",
    "intervals_come_from_their_events": f"{INTERVAL} closed = closed + interval '1 second' where not gauged",
    "levels_are_what_gauges_said": f"{INTERVAL} superseded_at = now() + interval '1 hour' where level = 7",
    "no_open_or_close_is_forgotten": "delete from usage_pairingproblem",
    "hour_totals_are_what_was_received": "delete from usage_event where type = 'measured'",
    "quantities_are_numbers": "alter table usage_event drop constraint event_quantity_exactly_when_measured;"
    f" {EVENT} quantity = 'NaN' where type = 'measured'",
}


@pytest.fixture
def dynos(db: None) -> Source:
    made = source("dynos")
    settled(made, [opened(0, account="acme", app="shop"), closed(5), opened(10), closed(3, "r2"), measured(1, 5)])
    settled(made, [gauge(0, 5, "r4"), gauge(1, 5, "r4"), gauge(2, 7, "r4"), gauge(3, 0, "r4"), gauge(5, 1, "r4")])
    report(made, [opened(20, "r3"), closed(21, "r3")])
    hour_totals.fold()
    report(made, [measured(2, 7)])
    return made


@pytest.mark.usefixtures("dynos")
def test_all_hold_where_nobody_tampered() -> None:
    assert set(OURS) == set(TAMPERING) == {path.stem for path in (ROOT / "usage" / "invariants").glob("*.sql")}
    assert [name for name, one in OURS.items() if not invariants.check(one).holds] == []


@pytest.mark.usefixtures("dynos")
@pytest.mark.parametrize("name", sorted(TAMPERING))
def test_each_finds_its_tampering(name: str) -> None:
    alias = databases.usage()
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("set constraints all immediate; set local session_replication_role = replica")
        cursor.execute(TAMPERING[name])
        assert invariants.check(OURS[name]).rows
        transaction.set_rollback(True, using=alias)
