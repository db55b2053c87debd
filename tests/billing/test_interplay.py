"""Where corrections meet: months opened again, waived lines, credit notes, dead shards and two months at once."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import Account
from billing import (
    adjusting,
    approving,
    credit_notes,
    drafting,
    holding,
    issuing,
    retrying,
    running,
    supplementing,
)
from billing.models import InvoiceLine, Run, RunShard
from core import leases
from core.errors import Conflict, Invalid
from monitoring import invariants
from tests import factories
from tests.factories import ADA, GRACE, OCTOBER, account, build, ending, invoice, ran, use

pytestmark = pytest.mark.django_db
SEPTEMBER = OCTOBER.previous
ON = date(2026, 11, 9)


@pytest.fixture(autouse=True)
def cast() -> None:
    factories.staff()


def verified() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate; set constraints all deferred")
    return all(invariants.check(one).holds for one in invariants.collect())


class TestAMonthOpenedAgain:
    def test_does_not_bill_what_a_later_month_billed(self) -> None:
        """September gave acme up; October bills it; then somebody joins September, and its waiting are retried."""
        acme = account("acme")
        use(ran("w", "standard-1x", SEPTEMBER.start, OCTOBER.end, "acme"))
        september = build(SEPTEMBER)
        holding.hold(september.pk, acme.pk, reason="Disputed.", actor=ADA)
        factories.issue(september, date(2026, 10, 2))
        running.close(september.pk, actor=ADA, reason="enough")
        factories.close(OCTOBER)
        assert invoice(acme).total == 50, "both months"
        account("late")
        use(ran("l", "basic", SEPTEMBER.start, SEPTEMBER.end, "late"))
        assert supplementing.add_missing(september.pk, actor=ADA) == 1
        retrying.retry_account(september.pk, acme.pk, actor=ADA)
        drafting.draft_waiting()
        entry = ending(september, acme)
        assert (entry.outcome, entry.reason_code, entry.invoice) == ("failed", "taken", None)
        assert str(invoice(acme).number) in entry.reason
        assert InvoiceLine.objects.filter(invoice__account=acme, period_start__lt=OCTOBER.start).count() == 1

    def test_two_months_at_once_are_drafted_in_their_order(self) -> None:
        """Each looks at the months before: side by side, both would bill the same late usage."""
        account("acme")
        october = running.open_run(OCTOBER, actor=ADA)
        september = running.open_run(SEPTEMBER, actor=ADA)
        first = leases.claim(RunShard, limit=9, where=drafting._OF_RUNNING)
        assert {shard.run_id for shard in first} == {september.pk}
        assert leases.claim(RunShard, limit=9, where=drafting._OF_RUNNING) == []
        RunShard.objects.filter(run=september).update(state="done")
        second = leases.claim(RunShard, limit=9, where=drafting._OF_RUNNING)
        assert {shard.run_id for shard in second} == {october.pk}

    def test_a_shadow_waits_for_nobody(self) -> None:
        account("acme")
        running.open_run(SEPTEMBER, actor=ADA)
        shadow = running.open_run(OCTOBER, shadow=True, actor=ADA)
        claimed = leases.claim(RunShard, limit=9, where=drafting._OF_RUNNING)
        assert shadow.pk in {shard.run_id for shard in claimed}


class TestWhatWasNeverCharged:
    """September bills acme 25 for w; then it turns out that w ran for half a day, which is 0.42."""

    def test_does_not_come_back_after_a_waiver(self) -> None:
        acme, run = billed()
        adjusting.waive_line(invoice(acme, SEPTEMBER).lines.get().pk, reason="Outage.", actor=ADA)
        factories.issue(run, date(2026, 10, 2))
        it_stopped_early()
        build(OCTOBER)
        assert [line.kind for line in invoice(acme).lines.all()] == ["usage"]

    def test_does_not_come_back_after_a_credit_note(self) -> None:
        acme, run = billed()
        factories.issue(run, date(2026, 10, 2))
        line = invoice(acme, SEPTEMBER).lines.get()
        credit_notes.issue(line.invoice_id, {line.pk: Decimal(20)}, reason="Slow.", actor=ADA, on=ON)
        it_stopped_early()
        build(OCTOBER)
        adjustment = invoice(acme).lines.get(kind="adjustment")
        assert (adjustment.amount, adjustment.rated) == (-5, -5), "20 of 25 came back already"
        assert invoice(acme).subtotal == 45

    def test_what_was_charged_does(self) -> None:
        acme, run = billed()
        adjusting.change_line(invoice(acme, SEPTEMBER).lines.get().pk, amount=Decimal(30), reason="x", actor=ADA)
        factories.issue(run, date(2026, 10, 2))
        it_stopped_early()
        build(OCTOBER)
        assert invoice(acme).lines.get(kind="adjustment").amount == Decimal("-24.58")


class TestADraftBelowNothing:
    def test_is_refused_where_it_is_made(self) -> None:
        """Issued with the others, it would take its whole shard down."""
        acme, _ = billed()
        made = invoice(acme, SEPTEMBER)
        with pytest.raises(Invalid, match="less than nothing"):
            adjusting.add_line(made.pk, description="Gift", amount=Decimal(-26), reason="x", actor=ADA)
        with pytest.raises(Invalid, match="less than nothing"):
            adjusting.change_line(made.lines.get().pk, amount=Decimal(-1), reason="x", actor=ADA)
        assert invoice(acme, SEPTEMBER).total == 25
        adjusting.add_line(made.pk, description="Gift", amount=Decimal(-25), reason="x", actor=ADA)
        assert invoice(acme, SEPTEMBER).total == 0

    def test_can_be_mended_in_steps_while_it_is_held(self) -> None:
        acme, run = billed()
        holding.hold(run.pk, acme.pk, reason="Look.", actor=ADA)
        made = invoice(acme, SEPTEMBER)
        adjusting.add_line(made.pk, description="Gift", amount=Decimal(-26), reason="x", actor=ADA)
        with pytest.raises(Conflict, match="less than nothing"):
            holding.release(run.pk, acme.pk, reason="", actor=ADA)
        adjusting.add_line(made.pk, description="Less of it", amount=Decimal(1), reason="x", actor=ADA)
        assert holding.release(run.pk, acme.pk, reason="", actor=ADA).outcome == "drafted"


class TestADeadIssueShard:
    def test_is_issued_with_the_rest_when_the_run_was_reviewed_again(self) -> None:
        acme, run = billed()
        bolt = account("bolt")
        use(ran("x", "basic", SEPTEMBER.start, SEPTEMBER.end, "bolt"))
        assert supplementing.add_missing(run.pk, actor=ADA) == 1
        drafting.draft_waiting()
        holding.hold(run.pk, bolt.pk, reason="Look.", actor=ADA)
        approving.approve(run.pk, actor=GRACE)
        issuing.start(run.pk, actor=GRACE, issue_date=date(2026, 10, 2))
        RunShard.objects.filter(run=run, phase="issue").update(state="dead", attempts=5, last_error="x")
        holding.release(run.pk, bolt.pk, reason="fine", actor=ADA)
        assert retrying.retry_failed(run.pk, actor=ADA) == 0, "a run in review has nothing to issue"
        run = factories.issue(run, date(2026, 10, 3))
        assert run.state == "closed"
        assert sorted(str(invoice(one, SEPTEMBER).number)[-6:] for one in (acme, bolt)) == ["000001", "000002"]
        assert verified()

    def test_a_date_before_the_latest_number_is_refused_before_any_shard_tries(self) -> None:
        _, run = billed()
        factories.issue(run, date(2026, 10, 5))
        use(ran("y", "basic", OCTOBER.start, OCTOBER.end, "acme"))
        october = build(OCTOBER)
        approving.approve(october.pk, actor=GRACE)
        with pytest.raises(Conflict, match="dated after"):
            issuing.start(october.pk, actor=GRACE, issue_date=date(2026, 10, 4))
        october.refresh_from_db()
        assert (october.state, october.shards.filter(phase="issue").count()) == ("approved", 0)
        assert issuing.start(october.pk, actor=GRACE, issue_date=date(2026, 10, 5)).state == "issuing"


def billed() -> tuple[Account, Run]:
    """Acme ran w in September, which is drafted, and something for 50 in October."""
    acme = account("acme")
    use(ran("w", "standard-1x", SEPTEMBER.start, None, "acme"))
    use(ran("other", "standard-2x", OCTOBER.start, OCTOBER.end, "acme"))
    return acme, build(SEPTEMBER)


def it_stopped_early() -> None:
    use([{"id": "c", "type": "close", "time": "2026-09-01T12:00:00Z", "resource": "w", "product": "standard-1x"}])
