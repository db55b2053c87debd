"""Five columns: all agree on a closed month, and each fault is found in the column where it lies."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account
from billing import adjusting, contracting, holding, running
from billing.models import InvoiceLine, Product
from core import audit
from core.errors import Invalid
from core.periods import Month, Span
from insights import five_columns, reconciliation
from insights.five_columns import COLUMNS, Row
from tests import factories
from tests.usage.factories import amended, event, hour, measured, opened, report, settled, source
from tests.usage.test_manifests import manifest
from usage import amending, deciding, hour_totals, manifests, pairing
from usage.agreement import Sums, read
from usage.models import Event, QuarantinedEvent, Source

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, tzinfo=UTC)
DAY = Span(hour(0), hour(24))
WHY = "only some hours are stated here"


def rows(span: Span = DAY) -> dict[tuple[datetime, str], Row]:
    found = reconciliation.reconcile(list(Source.objects.all()), span, now=NOW).rows
    return {(row.hour, row.meter): row for row in found}


def counts(row: Row) -> list[int | None]:
    return [column.events if column else None for column in row.columns().values()]


def kinds(row: Row) -> dict[str, int]:
    return {difference.kind: difference.events for difference in row.differences}


def state(one: Source, ids: list[str], meters: dict[str, Any], at: float = 0) -> None:
    manifests.state(one, read(manifest(ids, meters, at)))


@pytest.fixture
def dynos() -> Source:
    """A source whose first hour of October is right: a dyno of acme opened, stated as such."""
    factories.account("acme")
    one = source()
    settled(one, [opened(0.5, id="o", account="acme", app="shop")])
    state(one, ["o"], {"duration": {"opens": 1}})
    return one


class TestAgreement:
    def test_all_five_agree_when_the_month_is_issued(self, dynos: Source) -> None:
        open_month = rows()[hour(0), "duration"]
        assert (counts(open_month), open_month.state, kinds(open_month)) == (
            [1, 1, 1, 1, 0],
            "waits",
            {"month_open": 1},
        )
        factories.close(despite=WHY)
        closed_month = rows()[hour(0), "duration"]
        assert (counts(closed_month), closed_month.state, closed_month.differences) == ([1] * 5, "agrees", [])

    def test_a_price_that_only_a_contract_has_is_a_price(self) -> None:
        acme = factories.account("acme")
        with audit.acting(factories.ACTOR):
            Product.objects.create(code="private", name="Private", group="dyno")
        contracting.agree(
            acme.pk, name="Own", valid_from=factories.OCTOBER, valid_to=None, terms={}, reason="Signed.", actor="x",
            prices=[contracting.OwnPrice("private", {"model": "prorated", "unit_amount": "40"}, "month")],
        )  # fmt: skip
        settled(source(), [opened(0.5, id="o", product="private", account="acme", app="shop")])
        assert kinds(rows()[hour(0), "duration"]) == {"month_open": 1}
        factories.close()
        assert kinds(rows()[hour(0), "duration"]) == {}

    def test_totals_that_were_folded_say_the_same(self, dynos: Source) -> None:
        before = counts(rows()[hour(0), "duration"])
        hour_totals.fold()
        assert counts(rows()[hour(0), "duration"]) == before

    def test_an_empty_hour_that_is_stated_agrees(self, dynos: Source) -> None:
        state(dynos, [], {}, at=3)
        row = rows()[hour(3), ""]
        assert (counts(row), row.state) == ([0] * 5, "agrees")

    def test_an_hour_nobody_stated_differs_only_for_a_source_that_states(self, dynos: Source) -> None:
        settled(dynos, [opened(5, "r5", account="acme")])
        quiet = source("quiet")
        settled(quiet, [opened(6, "r6", account="acme")])
        assert kinds(rows()[hour(5), "duration"]) == {"unstated": 0, "month_open": 1}
        assert kinds(rows()[hour(6), "duration"]) == {"month_open": 1}


class TestFaultsAreFoundInTheirColumn:
    def test_lost_on_the_way(self, dynos: Source) -> None:
        state(dynos, ["o", "lost"], {"duration": {"opens": 2}})
        row = rows()[hour(0), "duration"]
        assert (counts(row), row.state, kinds(row)["missing"]) == ([2, 1, 1, 1, 0], "differs", 1)

    def test_one_too_many(self, dynos: Source) -> None:
        settled(dynos, [opened(0.6, "r2", account="acme")])
        row = rows()[hour(0), "duration"]
        assert (counts(row), row.state, kinds(row)["extra"]) == ([1, 2, 2, 2, 0], "differs", -1)

    def test_another_sum(self, dynos: Source) -> None:
        settled(dynos, [measured(1, "9.5", id="m", account="acme")])
        state(dynos, ["m"], {"requests": {"measured": 1, "quantity": "10"}}, at=1)
        row = rows()[hour(1), "requests"]
        assert row.state == "differs" and kinds(row)["altered"] == 0
        assert "9.5, not to 10" in row.differences[0].sentence

    def test_as_many_but_others(self, dynos: Source) -> None:
        state(dynos, ["other"], {"duration": {"opens": 1}})
        row = rows()[hour(0), "duration"]
        assert row.state == "differs" and "exchanged" in kinds(row)

    def test_refused_and_waiting_in_quarantine(self, dynos: Source) -> None:
        report(dynos, [measured(0.7, "-1", id="bad")])
        state(dynos, ["o", "bad"], {"duration": {"opens": 1}, "requests": {"measured": 1, "quantity": "1"}})
        row = rows()[hour(0), "requests"]
        assert (counts(row), kinds(row)) == ([1, 0, 0, 0, 0], {"quarantined": 1})

    def test_a_conflict_is_not_missing_and_a_replayed_event_is_no_longer_refused(self, dynos: Source) -> None:
        report(dynos, [opened(0.6, id="o", account="acme")])  # another content under a known id
        report(dynos, [{"id": "x", "type": "open", "time": "yesterday"}, {"id": "y"}])  # of no hour
        report(dynos, [measured(0.7, "-1", id="bad", account="acme")])
        bad = QuarantinedEvent.objects.get(event_id="bad")
        deciding.replay(bad.pk, body=bad.body.replace('"-1"', '"1"'), actor="user:olga@example.com")
        state(dynos, ["o", "bad"], {"duration": {"opens": 1}, "requests": {"measured": 1, "quantity": "1"}})
        found = rows()
        assert [counts(found[hour(0), meter])[:3] for meter in ("duration", "requests")] == [[1, 1, 1]] * 2
        state(dynos, ["o", "bad", "z"], {"duration": {"opens": 2}, "requests": {"measured": 1, "quantity": "1"}})
        assert kinds(rows()[hour(0), "duration"])["missing"] == 1

    def test_not_paired_yet_and_never(self, dynos: Source) -> None:
        report(dynos, [opened(2, "r2", account="acme"), opened(2.1, "r2", account="acme")])
        waiting = rows()[hour(2), "duration"]
        assert counts(waiting)[1:] == [2, 0, 0, 0] and kinds(waiting)["waiting"] == 2
        pairing.drain()
        assert kinds(rows()[hour(2), "duration"]).items() >= {"double_open": 1, "month_open": 1}.items()

    def test_of_nobody_of_a_stranger_and_without_a_price(self, dynos: Source) -> None:
        settled(
            dynos,
            [
                opened(2, "r2"),
                opened(3, "r3", account="ghost"),
                opened(4, "r4", "no-such-product", account="acme"),
            ],
        )
        found = rows()
        for at, kind in ((2, "unowned"), (3, "stranger"), (4, "unpriced")):
            row = found[hour(at), "duration"]
            assert counts(row)[1:] == [1, 1, 0, 0] and kinds(row)[kind] == 1, kind

    def test_late_until_the_next_invoice_adjusts(self, dynos: Source) -> None:
        september = factories.OCTOBER.previous
        settled(dynos, [opened(-700, "r2", account="acme")])
        factories.close(september, despite=WHY)
        settled(dynos, [opened(-650, "late", account="acme")])
        assert kinds(rows(september.span)[hour(-650), "duration"])["late"] == 1
        factories.close(despite=WHY)
        row = rows(september.span)[hour(-650), "duration"]
        assert counts(row)[1:] == [1, 1, 1, 1]

    def test_an_invoice_without_the_line(self, dynos: Source) -> None:
        factories.close(despite=WHY)
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate; set local session_replication_role = replica")
            cursor.execute("delete from billing_invoiceline")
            cursor.execute("set local session_replication_role = origin")
        row = rows()[hour(0), "duration"]
        assert (counts(row), row.state, kinds(row)) == ([1, 1, 1, 1, 0], "differs", {"unbilled": 1})

    def test_an_event_that_vanished_after_it_was_counted(self, dynos: Source) -> None:
        hour_totals.fold()
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate; set local session_replication_role = replica")
            cursor.execute("delete from usage_event where event_id = 'o'")
            cursor.execute("set local session_replication_role = origin")
        row = rows()[hour(0), "duration"]
        assert (counts(row), row.state, kinds(row)) == ([1, 1, 0, 0, 0], "differs", {"miscounted": 1})
        assert not Event.objects.exists()


class TestWhatIsNotLost:
    """Differences that have a reason, and agree for it; and those that time will not mend."""

    def test_amended_events_gave_way_and_still_agree(self, dynos: Source) -> None:
        factories.close(despite=WHY)
        made = amended(dynos, 0, 1, [])
        row = rows()[hour(0), "duration"]
        assert (counts(row), row.state, kinds(row)) == ([1, 1, 0, 0, 0], "agrees", {"amended": 1})
        amending.revert(made.pk, reason="it was right", actor="user:olga@example.com")
        assert counts(rows()[hour(0), "duration"]) == [1] * 5

    def test_gauges_are_counted_paired_and_billed(self, dynos: Source) -> None:
        levels = [event("gauge", at, "d1", "standard-1x", id=f"g{at}", meter="gb", quantity=level, account="acme")
                  for at, level in ((3.1, "0"), (3.2, "5"), (3.3, "5"), (3.4, "0"))]  # fmt: skip
        settled(dynos, levels)
        state(dynos, [one["id"] for one in levels], {"gb": {"measured": 4, "quantity": "10"}}, at=3)
        before = rows()[hour(3), "gb"]
        assert (counts(before), kinds(before)) == ([4, 4, 4, 4, 0], {"month_open": 4})
        factories.close(despite=WHY)
        assert counts(rows()[hour(3), "gb"]) == [4] * 5

    def test_a_waived_line_is_billed_and_so_is_a_waived_adjustment(self, dynos: Source) -> None:
        settled(dynos, [opened(-700, "r2", account="acme")])
        factories.close(september := factories.OCTOBER.previous, despite=WHY)
        settled(dynos, [opened(-650, "late", account="acme")])
        run = factories.build(despite=WHY)
        for line in InvoiceLine.objects.filter(invoice__run=run):
            adjusting.waive_line(line.pk, reason="goodwill", actor=factories.ADA)
        factories.issue(run)
        assert counts(rows(september.span)[hour(-650), "duration"])[1:] == [1] * 4
        assert counts(rows()[hour(0), "duration"]) == [1] * 5

    def test_known_after_the_last_run_that_looks_waits_for_nobody(self, dynos: Source) -> None:
        settled(dynos, [opened(-3000, "r2", account="acme")])
        month = Month.containing(hour(-3000))
        for _ in range(3):
            factories.close(month, despite=WHY)
            month = month.next
        settled(dynos, [opened(-2990, "late", account="acme")])
        row = rows(Month.containing(hour(-3000)).span)[hour(-2990), "duration"]
        assert (row.state, kinds(row)["too_late"]) == ("differs", 1)

    def test_of_an_account_that_was_given_up_waits_for_its_next_invoice(self, dynos: Source) -> None:
        settled(dynos, [opened(-700, "r2", account="acme")])
        september = factories.OCTOBER.previous
        run = factories.build(september, despite=WHY)
        holding.hold(run.pk, factories.ending(run, Account.objects.get(code="acme")).account_id, reason="x",
                     actor=factories.ADA)  # fmt: skip
        assert kinds(rows(september.span)[hour(-700), "duration"])["held"] == 1
        factories.staff()
        factories.issue(run, september.next.first_day.replace(day=2))
        running.close(run.pk, actor=factories.GRACE, reason="next month")
        row = rows(september.span)[hour(-700), "duration"]
        assert (row.state, kinds(row)["given_up"]) == ("differs", 1)  # no manifest was sent for that hour
        factories.close(despite=WHY)
        assert counts(rows(september.span)[hour(-700), "duration"])[1:] == [1] * 4

    def test_what_is_in_an_archive_is_not_miscounted(self) -> None:
        cell = (1, hour(0), "requests")
        sides = five_columns.Sides(
            {1: "dynos"}, {}, {cell: five_columns.Arrived(Sums(0, 0, 5, Decimal(9)), 0)}, Counter(), [],
            [factories.OCTOBER],
        )  # fmt: skip
        (row,) = five_columns.rows(sides, lambda source, at: "")
        assert (row.state, kinds(row)) == ("agrees", {"archived": 5})


class TestOneHour:
    def test_names_the_resources_and_why(self, dynos: Source) -> None:
        settled(dynos, [opened(0.6, "r2"), opened(0.7, "r3", account="ghost"), opened(0.8, "r2")])
        found = reconciliation.behind(dynos, hour(0))
        assert [(one.behind.resource, one.stop, one.behind.placed.events) for one in found] == [
            ("r1", "month_open", 1), ("r2", "double_open", 1), ("r2", "unowned", 1), ("r3", "stranger", 1),
        ]  # fmt: skip
        assert reconciliation.behind(dynos, hour(0), "requests") == []

    def test_what_is_billed_comes_last(self, dynos: Source) -> None:
        factories.close(despite=WHY)
        settled(dynos, [opened(0.9, "z", account="acme")])
        assert [one.stop for one in reconciliation.behind(dynos, hour(0))] == ["late", "billed"]


def test_a_question_is_bounded(dynos: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "MOST_EVENTS", 0)
    with pytest.raises(Invalid, match="1 events lie in that time"):
        rows()


def test_a_month_is_within_one_question(dynos: Source) -> None:
    whole = reconciliation.reconcile([dynos], factories.OCTOBER.span, now=NOW)
    assert list(whole.totals) == list(COLUMNS) and whole.totals["billed"].events == 0
    assert (whole.count("waits"), whole.span.end - whole.span.start) == (1, timedelta(days=31))
