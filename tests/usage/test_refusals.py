"""What the usage store refuses by raw SQL, as the role that owns the tables."""

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from core import databases
from tests.usage.factories import closed, opened, report, settled, source
from usage.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def dynos(db: None) -> Source:
    made = source("dynos")
    settled(made, [opened(0, account="acme", app="shop"), closed(5), opened(10), closed(20)])
    report(made, [{"id": "bad"}])
    with connections[databases.usage()].cursor() as cursor:
        cursor.execute("set constraints all immediate")
    return made


def refuse(statement: str, error: type[Exception] = DatabaseError, match: str = ".") -> None:
    alias = databases.usage()
    with pytest.raises(error, match=match), transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(statement)


INTERVAL = """insert into usage_interval
    (resource, meter, product, component, app, opened, closed, open_event_id, recorded_at)
select 'r1', 'duration', 'other', '', '', {opened}, {closed}, min(id), now() from usage_event"""
OWNERSHIP = """insert into usage_ownership (reference, resource, account, app, start, "end", recorded_at, recorded_by)
values ('x', {resource}, 'eve', {app}, {start}, {end}, now(), 'x')"""


COLUMNS = "source_id, time, resource, product, meter, component, app, account, received_at"


@pytest.mark.usefixtures("dynos")
class TestFacts:
    @pytest.mark.parametrize(
        "table",
        [
            "usage_event",
            "usage_eventkey",
            "usage_event_2026_10",
            "usage_interval",
            "usage_ownership",
            "usage_quarantinedevent",
        ],
    )
    def test_are_never_deleted(self, table: str) -> None:
        refuse(f"delete from {table}", match="keeps what was said")
        refuse(f"truncate {table} cascade", match="keeps what was said")

    def test_a_source_is_never_deleted(self) -> None:
        refuse("delete from usage_source", match="keeps what was said")

    @pytest.mark.parametrize("table", ["usage_event", "usage_event_2026_10"])
    def test_an_event_is_never_edited(self, table: str) -> None:
        refuse(f"update {table} set product = 'other'", match="keeps what was said")
        refuse(f"update {table} set time = time + interval '1 month'", match="keeps what was said")
        refuse("update usage_eventkey set body_hash = ''", match="keeps what was said")

    @pytest.mark.parametrize("table", ["usage_event", "usage_event_2026_10"])
    def test_an_event_is_stored_once(self, table: str) -> None:
        again = f"insert into {table} ({{0}}) overriding system value select {{1}} from usage_event limit 1"
        whole = f"id, {COLUMNS}, event_id, type"
        refuse(again.format(whole, whole), IntegrityError, "event_once|resource_time_id")
        refuse(again.format(whole, whole.replace("id,", "id + 1000,", 1)), IntegrityError, "stored once")
        refuse(again.format(whole, whole.replace("time", "time + interval '1 s'")), IntegrityError, "stored once")
        refuse(again.format(whole, whole.replace(" resource", " 'other'")), IntegrityError, "stored once")
        other = whole.replace("id,", "id + 1000,", 1).replace("event_id", "'other'")
        refuse(again.format(whole, other), IntegrityError, "stored once")

    def test_a_key_is_stored_once(self) -> None:
        refuse("insert into usage_eventkey select * from usage_eventkey limit 1", IntegrityError, "usage_eventkey_pkey")

    @pytest.mark.parametrize("quantity", ["-1", "null", "'NaN'", "1e18"])
    def test_a_quantity_is_a_quantity(self, quantity: str) -> None:
        refuse(
            f"insert into usage_event ({COLUMNS}, event_id, type, quantity)"
            f" select {COLUMNS}, 'new', 'measured', {quantity} from usage_event limit 1",
            IntegrityError,
            "event_quantity",
        )


@pytest.mark.usefixtures("dynos")
class TestHistory:
    @pytest.mark.parametrize(
        "change", ["closed = closed + interval '1h'", "product = 'x'", "superseded_at = recorded_at"]
    )
    def test_an_interval_is_only_ever_superseded(self, change: str) -> None:
        refuse(f"update usage_interval set {change}")

    def test_once(self) -> None:
        later = "update usage_interval set superseded_at = now() + interval '{} hours'"
        with connections[databases.usage()].cursor() as cursor:
            cursor.execute(later.format(1))
        refuse(later.format(2), match="only be superseded, once")
        refuse("update usage_interval set superseded_at = null", match="only be superseded, once")

    def test_so_is_an_ownership(self) -> None:
        refuse("update usage_ownership set account = 'eve'", match="only be superseded, once")

    def test_a_quarantined_event_is_decided_and_never_edited(self) -> None:
        refuse("update usage_quarantinedevent set body = 'x'", match="decided once")
        refuse("update usage_quarantinedevent set state = 'discarded'", IntegrityError, "signed")
        decide = "update usage_quarantinedevent set state = 'discarded', decided_at = now(), decided_by = 'x'"
        with connections[databases.usage()].cursor() as cursor:
            cursor.execute(decide)
        refuse(decide.replace("'x'", "'y'"), match="decided once")


@pytest.mark.usefixtures("dynos")
class TestOverlaps:
    @pytest.mark.parametrize(
        ("start", "end"),
        [("00:00", "05:00"), ("04:59:59.999999", "06:00"), ("05:00", "10:00:00.000001"), ("19:00", None)],
    )
    def test_two_intervals_of_a_resource_and_meter(self, start: str, end: str | None) -> None:
        day = "timestamptz '2026-10-01 {}+00'"
        last = day.format(end) if end else "null"
        refuse(INTERVAL.format(opened=day.format(start), closed=last), IntegrityError, "one_interval_at_a_time")

    def test_what_only_touches_is_no_overlap(self) -> None:
        between = INTERVAL.format(
            opened="'2026-10-01 05:00+00'::timestamptz", closed="'2026-10-01 10:00+00'::timestamptz"
        )
        with connections[databases.usage()].cursor() as cursor:
            cursor.execute(between)

    def test_an_interval_of_no_length(self) -> None:
        moment = "'2026-10-01 07:00+00'::timestamptz"
        refuse(INTERVAL.format(opened=moment, closed=moment), IntegrityError, "interval_is_not_empty")

    def test_two_owners_of_a_resource(self) -> None:
        said = OWNERSHIP.format(resource="'r1'", app="''", start="'2026-10-05'", end="'2026-10-06'")
        refuse(said, IntegrityError, "one_owner_at_a_time")

    def test_two_owners_of_an_app(self) -> None:
        said = OWNERSHIP.format(resource="''", app="'shop'", start="'2026-10-05'", end="null")
        refuse(
            f"{said}; {said.replace(chr(39) + 'x' + chr(39), chr(39) + 'y' + chr(39), 1)}", IntegrityError, "of_an_app"
        )

    def test_an_ownership_of_nothing(self) -> None:
        said = OWNERSHIP.format(resource="''", app="''", start="'2026-10-05'", end="null")
        refuse(said, IntegrityError, "ownership_of_something")
