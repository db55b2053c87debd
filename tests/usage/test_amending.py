"""The verbs of correction: one transaction each, nothing overwritten, refused with the field, safe beside intake."""

import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from core.errors import Conflict, Invalid, NotFound
from tests.usage.factories import START, closed, gauge, hour, opened, report, settled, source
from tests.usage.test_archiving import BY, EVENTS, MONTH
from usage import amended, amending, archiving, hour_totals, locks, pairing, restating, sources, store
from usage.archives import Archived
from usage.models import Amendment, Event, Interval, PairingProblem, Source, Unpaired

OLGA = "user:olga@example.com"


def said(kind: str, at: float, resource: str = "r1", **more: Any) -> dict[str, Any]:
    return {"type": kind, "time": hour(at).isoformat(), "product": "standard-1x"} | more


def amend(start: float, end: float, *events: dict[str, Any], resource: str = "r1", **more: Any) -> Amendment:
    told = restating.events(resource, events)
    return amending.amend(resource, hour(start), hour(end), told, **({"reason": "wrong", "actor": OLGA} | more))


def spans(resource: str = "r1") -> list[tuple[Any, Any]]:
    found = Interval.objects.filter(resource=resource, superseded_at=None).order_by("opened")
    return list(found.values_list("opened", "closed"))


@pytest.fixture
def dynos(db: None) -> Source:
    made = source()
    settled(made, [opened(0, account="acme", app="shop"), closed(10)])
    return made


class TestAmend:
    def test_puts_aside_what_was_told_and_keeps_it_readable(self, dynos: Source) -> None:
        one = amend(9, 11, said("close", 9))
        assert spans() == [(hour(0), hour(9))]
        assert [(event.event_id, event.counts) for event in amended.told("r1", hour(0), hour(11))] == [
            ("open-r1-standard-1x-0", True),
            (f"amendment-{one.pk}-1", True),
            ("close-r1-standard-1x-10", False),
        ]
        event = Event.objects.get(amendment=one)
        assert (event.source.name, event.received_at) == ("amendments", one.recorded_at)
        assert not Unpaired.objects.exists() and one.recorded_by == OLGA

    def test_pairs_what_waits_of_its_resource_first(self, dynos: Source) -> None:
        report(dynos, [opened(20), closed(30)])
        amend(9, 11, said("close", 9))
        assert spans() == [(hour(0), hour(9)), (hour(20), hour(30))] and not Unpaired.objects.exists()

    def test_leaves_alone_what_arrives_later(self, dynos: Source) -> None:
        amend(5, 15)
        settled(dynos, [closed(7, id="late")])
        assert spans() == [(hour(0), hour(7))]

    def test_of_an_amendment_makes_that_one_give_way(self, dynos: Source) -> None:
        first, second = amend(9, 11, said("close", 9)), amend(8, 10, said("close", 8))
        assert spans() == [(hour(0), hour(8))]
        assert list(amended.covering(first)) == [second] and not amended.covering(second)
        amending.revert(first.pk, reason="no", actor=OLGA)
        assert spans() == [(hour(0), hour(8))]
        assert set(PairingProblem.objects.values_list("kind", flat=True)) == {"orphan_close"}
        amending.revert(second.pk, reason="no", actor=OLGA)
        assert spans() == [(hour(0), hour(10))]

    def test_said_as_it_was_changes_nothing(self, dynos: Source) -> None:
        """Of two levels at one instant the later said counts, also as the ninth and the tenth of a correction."""
        levels = [gauge(at, at, "disk") for at in range(1, 9)]
        settled(dynos, [*levels, gauge(9, 5, "disk", id="said-1"), gauge(9, 7, "disk", id="said-2")])
        believed = Interval.objects.filter(resource="disk", superseded_at=None).order_by("opened")
        before = list(believed.values_list("opened", "closed", "level"))
        again = [one.restated() for one in amended.told("disk", hour(0), hour(10))]
        amending.amend("disk", hour(0), hour(10), again, reason="the same", actor=OLGA)
        assert list(believed.values_list("opened", "closed", "level")) == before

    def test_of_one_meter_leaves_the_others(self, dynos: Source) -> None:
        settled(dynos, [opened(1, meter="disk", product="disk"), closed(9, meter="disk", product="disk")])
        amend(8, 11, meter="disk")
        assert spans() == [(hour(0), hour(10)), (hour(1), None)]

    def test_needs_a_reason_and_a_known_resource(self, dynos: Source) -> None:
        for wrong, field in (({"reason": " "}, "reason"), ({"resource": "r9"}, "resource")):
            with pytest.raises(Invalid) as caught:
                amend(9, 11, **wrong)  # type: ignore[arg-type]
            assert caught.value.field == field
        with pytest.raises(NotFound):
            amending.revert(99, reason="x", actor=OLGA)

    def test_of_what_is_archived_is_refused(self, db: None) -> None:
        settled(source("old"), EVENTS)
        hour_totals.fold()
        archiving.archive(MONTH, by=BY)
        day = MONTH.start.replace(day=6)
        with pytest.raises(Archived, match="2024-09"):
            amending.amend("m1", day, day.replace(day=7), [], reason="x", actor=OLGA)
        assert not Amendment.objects.exists()


class TestTheDatabase:
    def test_lets_an_amendment_be_reverted_once_and_nothing_else(self, dynos: Source) -> None:
        one = amend(9, 11)
        unfinished = ("reverted_at = now()", "reverted_by = 'x', revert_reason = 'x'")
        for edit in ("reason = 'x'", "start = start - interval '1 day'", "recorded_by = 'x'", *unfinished):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"update usage_amendment set {edit} where id = {one.pk}")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("delete from usage_amendment")
        amending.revert(one.pk, reason="no", actor=OLGA)
        with pytest.raises(Conflict, match="already"):
            amending.revert(one.pk, reason="no", actor=OLGA)


def test_nobody_can_report_as_the_corrections(db: None) -> None:
    with pytest.raises(Invalid):
        sources.create(amending.SOURCE, actor=OLGA)


@pytest.mark.django_db(transaction=True)
class TestBesideIntake:
    def test_waits_for_what_was_stamped_and_sees_it(self) -> None:
        """An event that was stamped before the amendment, and is committed after it began, gives way and is paired."""
        reporter = source()
        settled(reporter, [opened(0), closed(10)])
        stamped, go_on = threading.Event(), threading.Event()

        def slow() -> None:
            with store.writing() as cursor:
                locks.receiving(cursor)
                report(reporter, [closed(5, id="in flight")])
                stamped.set()
                go_on.wait(10)
            connections.close_all()

        def correct() -> None:
            amend(4, 11, said("close", 8))
            connections.close_all()

        both = [threading.Thread(target=slow), threading.Thread(target=correct)]
        both[0].start()
        stamped.wait(10)
        both[1].start()
        both[1].join(0.5)
        assert both[1].is_alive(), "it waits for what was stamped before it"
        go_on.set()
        for thread in both:
            thread.join(20)
        assert {event.event_id for event in amended.told("r1", START, hour(11)) if event.counts} == {
            "open-r1-standard-1x-0", f"amendment-{Amendment.objects.get().pk}-1",
        }  # fmt: skip
        pairing.drain()
        assert spans() == [(hour(0), hour(8))]

    def test_many_at_once_follow_one_another(self) -> None:
        reporter = source()
        settled(reporter, [opened(0), closed(10)])

        def correct(at: float) -> None:
            amend(at, at + 1, said("close", at))
            connections.close_all()

        threads = [threading.Thread(target=correct, args=(float(at),)) for at in range(2, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        moments = list(Amendment.objects.values_list("recorded_at", flat=True))
        assert len(set(moments)) == len(moments) == 7
        assert spans() == [(hour(0), hour(2))]
