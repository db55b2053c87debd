"""From review to issued: a second person, exactly the drafts they saw, numbers without gaps, and what is announced."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import ApiKey, User
from billing import (
    adjusting,
    approving,
    cancelling,
    crediting,
    drafting,
    holding,
    issuing,
    retrying,
    running,
    supplementing,
    voiding,
)
from billing.models import (
    CreditGrant,
    Document,
    Invoice,
    LedgerEntry,
    NumberSeries,
    Run,
    RunAccount,
    RunShard,
)
from core import audit
from core.errors import Conflict, Refused
from core.models import OutboxMessage
from core.periods import Month
from monitoring import invariants
from tests import factories
from tests.factories import ACTOR, ADA, GRACE, ISSUED_ON, OCTOBER, SAM, account, build, ending, invoice, ran, use

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cast() -> None:
    factories.staff()


@pytest.fixture
def drafted() -> Run:
    """A run in review: three accounts with 25 dollars each."""
    for code in ("a", "b", "c"):
        account(code, payment_terms_days=14)
        use(ran(f"w-{code}", "standard-1x", OCTOBER.start, OCTOBER.end, code))
    return build()


def verified() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate; set constraints all deferred")
    return all(invariants.check(one).holds for one in invariants.collect())


class TestApproval:
    def test_takes_a_second_person(self, drafted: Run) -> None:
        with pytest.raises(Refused, match="You opened this run"):
            approving.approve(drafted.pk, actor=ADA)

    def test_a_key_is_its_person(self, drafted: Run) -> None:
        ada = User.objects.get(email="ada@example.com")
        with audit.acting(ACTOR):
            ApiKey.objects.create(prefix="adaskey", secret_hash="x", user=ada)
        with pytest.raises(Refused, match="You opened this run"):
            approving.approve(drafted.pk, actor="key:adaskey")

    @pytest.mark.parametrize("actor", [SAM, "system:cron", "user:nobody@example.com"])
    def test_takes_somebody_of_finance(self, drafted: Run, actor: str) -> None:
        with pytest.raises(Refused):
            approving.approve(drafted.pk, actor=actor)

    def test_whoever_changed_a_line_cannot_approve(self, drafted: Run) -> None:
        line = invoice_of("a").lines.get()
        adjusting.change_line(line.pk, amount=Decimal(20), reason="agreed", actor=GRACE)
        with pytest.raises(Refused, match="You changed lines"):
            approving.approve(drafted.pk, actor=GRACE)

    def test_a_change_after_it_asks_again(self, drafted: Run) -> None:
        approving.approve(drafted.pk, actor=GRACE)
        adjusting.waive_line(invoice_of("a").lines.get().pk, reason="gift", actor=ADA)
        drafted.refresh_from_db()
        assert (drafted.state, drafted.approved_by) == ("review", "")

    def test_a_change_behind_our_back_is_noticed(self, drafted: Run) -> None:
        approving.approve(drafted.pk, actor=GRACE)
        with audit.acting("user:mallory@example.com"):
            Invoice.objects.filter(account__code="a").update(subtotal=1, total=1)
        with pytest.raises(Conflict, match="changed after the approval"):
            issuing.start(drafted.pk, actor=GRACE, issue_date=ISSUED_ON)
        drafted.refresh_from_db()
        assert drafted.state == "review"

    def test_a_shadow_is_never_approved(self) -> None:
        with pytest.raises(Conflict, match="shadow"):
            approving.approve(build(shadow=True).pk, actor=GRACE)


class TestIssuing:
    def test_needs_the_approval(self, drafted: Run) -> None:
        with pytest.raises(Conflict, match="must be approved"):
            issuing.start(drafted.pk, actor=GRACE, issue_date=ISSUED_ON)

    def test_numbers_dates_and_addresses(self, drafted: Run) -> None:
        run = factories.issue(drafted)
        assert run.state == "closed"
        first, *_, last = (invoice_of(code) for code in "abc")
        assert (first.number, last.number) == ("VAULT-2026-000001", "VAULT-2026-000003")
        assert (first.status, first.issued_on, first.due_on) == ("open", ISSUED_ON, ISSUED_ON + timedelta(days=14))
        assert (first.bill_to["account"], first.sold_by["code"]) == ("a", "VAULT")
        assert verified()

    def test_posts_orders_documents_and_tells(self, drafted: Run) -> None:
        factories.issue(drafted)
        sums = {e: sum(LedgerEntry.objects.filter(ledger_account=e).values_list("amount", flat=True)) for e in
                ("receivable", "revenue")}  # fmt: skip
        assert sums == {"receivable": 75, "revenue": -75}
        assert Document.objects.filter(kind="invoice", state="ready").count() == 3
        (news,) = OutboxMessage.objects.filter(topic="billing.invoices_issued")
        assert sorted(news.payload["invoice_ids"]) == sorted(Invoice.objects.values_list("pk", flat=True))

    def test_news_comes_in_messages_of_five_hundred_at_most(
        self, monkeypatch: pytest.MonkeyPatch, drafted: Run
    ) -> None:
        monkeypatch.setattr(issuing, "NEWS_SIZE", 2)
        factories.issue(drafted)
        sizes = [len(news.payload["invoice_ids"]) for news in OutboxMessage.objects.filter(topic=issuing.ISSUED)]
        assert sorted(sizes) == [1, 2]

    def test_nothing_to_pay_is_paid_at_once(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        crediting.request(acme.pk, Decimal(100), reason="welcome", actor=ADA)
        factories.close()
        made = invoice(acme)
        assert (made.status, made.total, made.credits) == ("paid", 0, 25)
        assert CreditGrant.objects.get().balance == 75
        assert verified()

    def test_shards_are_numbered_in_order(self) -> None:
        for number in range(6):
            account(f"a{number}")
            use(ran(f"w{number}", "standard-1x", OCTOBER.start, OCTOBER.end, f"a{number}"))
        run = build(shard_accounts=2)
        approving.approve(run.pk, actor=GRACE)
        issuing.start(run.pk, actor=GRACE, issue_date=ISSUED_ON)
        RunShard.objects.filter(run=run, phase="issue").update(run_after="2026-01-01T00:00:00Z")
        RunShard.objects.filter(run=run, phase="issue", number=2).update(run_after="2025-01-01T00:00:00Z")
        issuing.issue_waiting()
        numbers = list(Invoice.objects.order_by("account__code").values_list("number", flat=True))
        assert numbers == sorted(numbers)

    def test_a_month_dated_before_an_earlier_number_is_given_back(self, drafted: Run) -> None:
        factories.issue(drafted)
        use(ran("s", "basic", OCTOBER.previous.start, OCTOBER.previous.end, "a"))
        run = build(OCTOBER.previous)
        approving.approve(run.pk, actor=GRACE)
        issuing.start(run.pk, actor=GRACE, issue_date=ISSUED_ON)
        with audit.acting(ACTOR):  # as if a later number came in between
            Run.objects.filter(pk=run.pk).update(issue_date=date(2026, 10, 2))
        issuing.issue_waiting()
        (shard,) = RunShard.objects.filter(run=run, phase="issue")
        assert (shard.state, shard.attempts) == ("ready", 1)
        assert "dated after" in shard.last_error
        assert NumberSeries.objects.get().last == 3, "nothing was burned"


class TestWhoWaits:
    def test_a_held_account_does_not_stop_the_others(self, drafted: Run) -> None:
        b = RunAccount.objects.get(run=drafted, account__code="b")
        holding.hold(drafted.pk, b.account_id, reason="Disputed.", actor=ADA)
        run = factories.issue(drafted)
        assert (run.state, invoice_of("a").status, invoice_of("b").status) == ("issuing", "open", "draft")
        holding.release(run.pk, b.account_id, reason="Settled by phone.", actor=ADA)
        run.refresh_from_db()
        assert run.state == "review"
        run = factories.issue(run)
        assert (run.state, invoice_of("b").number) == ("closed", "VAULT-2026-000003")
        assert verified()

    def test_closing_without_them_is_a_decision(self, drafted: Run) -> None:
        b = RunAccount.objects.get(run=drafted, account__code="b")
        holding.hold(drafted.pk, b.account_id, reason="Disputed.", actor=ADA)
        with pytest.raises(Conflict):
            running.close(drafted.pk, actor=ADA, reason="enough")
        factories.issue(drafted)
        assert running.close(drafted.pk, actor=ADA, reason="enough").state == "closed"
        with pytest.raises(Conflict, match="next invoice"):
            holding.release(drafted.pk, b.account_id, reason="late", actor=ADA)

    def test_what_was_left_out_is_billed_by_the_next_month(self) -> None:
        september, acme = OCTOBER.previous, account("acme")
        use(ran("w", "standard-1x", september.start, OCTOBER.end, "acme"))
        run = build(september)
        holding.hold(run.pk, acme.pk, reason="Disputed.", actor=ADA)
        factories.issue(run, date(2026, 10, 2))
        running.close(run.pk, actor=ADA, reason="enough")
        assert (ending(run, acme).outcome, ending(run, acme).invoice) == ("held", None)
        made = ending(build(), acme).invoice
        assert made is not None
        assert [(line.kind, line.amount) for line in made.lines.all()] == [("usage", 25), ("adjustment", 25)]

    def test_a_hold_withdraws_the_approval(self, drafted: Run) -> None:
        approving.approve(drafted.pk, actor=GRACE)
        b = RunAccount.objects.get(run=drafted, account__code="b")
        holding.hold(drafted.pk, b.account_id, reason="Disputed.", actor=ADA)
        drafted.refresh_from_db()
        assert drafted.state == "review"

    def test_a_dead_shard_fails_its_accounts_and_can_be_retried(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        run = running.open_run(OCTOBER, actor=ADA)
        RunShard.objects.filter(run=run).update(state="dead", attempts=5, last_error="out of memory")
        running.advance(run.pk)
        assert "out of memory" in ending(run, acme).reason
        retrying.retry_failed(run.pk, actor=ADA)
        drafting.draft_waiting()
        assert ending(run, acme).outcome == "drafted"

    def test_an_account_that_came_late_joins_a_closed_month(self, drafted: Run) -> None:
        run = factories.issue(drafted)
        account("d")
        use(ran("w-d", "standard-2x", OCTOBER.start, OCTOBER.end, "d"))
        assert supplementing.add_missing(run.pk, actor=ADA) == 1
        assert supplementing.add_missing(run.pk, actor=ADA) == 0
        drafting.draft_waiting()
        run.refresh_from_db()
        run = factories.issue(run)
        assert (run.state, invoice_of("d").number) == ("closed", "VAULT-2026-000004")
        assert verified()


class TestCancelling:
    def test_takes_drafts_back_and_credits_too(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        crediting.request(acme.pk, Decimal(10), reason="welcome", actor=ADA)
        run = build()
        assert CreditGrant.objects.get().balance == 0
        cancelling.cancel(run.pk, actor=ADA, reason="wrong price")
        assert CreditGrant.objects.get().balance == 10
        assert not Invoice.objects.exists()
        again = build()
        assert again.pk != run.pk
        assert verified()

    def test_is_refused_once_issued(self, drafted: Run) -> None:
        factories.issue(drafted)
        with pytest.raises(Conflict, match="credit notes"):
            cancelling.cancel(drafted.pk, actor=ADA, reason="too late")

    def test_a_worker_that_was_under_way_writes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        account("acme")
        use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        run = running.open_run(OCTOBER, actor=ADA)
        monkeypatch.setattr(
            drafting, "failpoint", lambda name: name == "draft.before_write" and cancelling.cancel(
                run.pk, actor=ADA, reason="stop")
        )  # fmt: skip
        drafting.draft_waiting()
        assert not Invoice.objects.exists()


class TestVoiding:
    def test_reverses_the_posting_and_gives_credits_back(self) -> None:
        acme = account("acme", region="DC")
        use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        crediting.request(acme.pk, Decimal(10), reason="welcome", actor=ADA)
        factories.close()
        made = invoice(acme)
        assert made.total == Decimal("15.90")
        voiding.void(made.pk, reason="wrong party", actor=GRACE, on=date(2026, 11, 5))
        assert voiding.void(made.pk, reason="again", actor=GRACE, on=date(2026, 11, 5)).status == "void"
        assert CreditGrant.objects.get().balance == 10
        assert verified()

    def test_its_usage_comes_back_as_an_adjustment(self) -> None:
        acme, september = account("acme"), Month(2026, 9)
        use(ran("w", "standard-1x", september.start, OCTOBER.end, "acme"))
        factories.close(september)
        voiding.void(invoice(acme, september).pk, reason="wrong", actor=GRACE, on=date(2026, 10, 5))
        made = ending(build(), acme).invoice
        assert made is not None
        assert sorted((line.kind, line.amount) for line in made.lines.all()) == [("adjustment", 25), ("usage", 25)]


def invoice_of(code: str) -> Invoice:
    return Invoice.objects.get(account__code=code, shadow=False)
