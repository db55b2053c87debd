"""Several at once: numbers, credits and shards under real concurrency, each with its control that must fail."""

import random
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, connections, transaction

from billing import crediting, drafting, holding, issuing, ledger, numbering, running
from billing.models import CreditGrant, Invoice, LedgerTransaction, NumberSeries, Run, RunShard, Seller
from core import audit
from core.errors import Conflict
from monitoring import invariants
from tests import factories
from tests.factories import ACTOR, ADA, OCTOBER, account, build, ending, invoice, ran, use

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ON = date(2026, 11, 3)


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """Run ``work(0..count-1)`` in threads that start at one instant; return results or what was raised."""
    start, results = threading.Barrier(count), [object()] * count

    def body(number: int) -> None:
        start.wait()
        try:
            results[number] = work(number)
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=body, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def broken() -> list[str]:
    return [one.name for one in invariants.collect() if not invariants.check(one).holds]


def draft_of_one_off(owner: int) -> Invoice:
    return Invoice.objects.create(
        account_id=owner, seller=Seller.objects.get(), kind="one_off", currency="USD", period_start=date(2026, 11, 1),
        period_end=date(2026, 12, 1),
    )  # fmt: skip


def issue_one(owner: int, number: int, *, take: Callable[..., int] = numbering.take) -> None:
    with audit.acting(ACTOR):
        made = draft_of_one_off(owner)
        seller = made.seller
        counter = take(seller, numbering.INVOICE, ON) + 1
        Invoice.objects.filter(pk=made.pk).update(
            status="paid", number=numbering.number(seller, numbering.INVOICE, ON, counter), issued_on=ON, due_on=ON
        )
        issuing.post_and_order([made.pk], ON)
        if random.Random(number).random() < 0.4:
            raise RuntimeError("a fault after the number was taken")


class TestNumbers:
    def test_have_no_gap_whoever_fails_halfway(self) -> None:
        owner = account("acme").pk
        results = together(24, lambda number: issue_one(owner, number))
        issued = sum(not isinstance(result, Exception) for result in results)
        assert 0 < issued < 24
        numbers = sorted(Invoice.objects.exclude(number=None).values_list("number", flat=True))
        assert numbers == [f"VAULT-2026-{number:06}" for number in range(1, issued + 1)]
        assert NumberSeries.objects.get().last == issued
        assert broken() == []

    def test_a_counter_of_its_own_transaction_would_leave_gaps_and_is_refused(self) -> None:
        """The control: taking the number apart from its use is what the database refuses at commit."""
        with pytest.raises(DatabaseError, match="names no document"), audit.acting(ACTOR):
            numbering.take(Seller.objects.get(), numbering.INVOICE, ON)

    def test_a_number_read_without_the_lock_is_given_twice(self) -> None:
        """The control: without the series' row lock two documents want one number, and one of them is refused."""
        owner = account("acme").pk

        def peek(seller: Seller, kind: str, on: date) -> int:
            NumberSeries.objects.get_or_create(seller=seller, kind=kind, year=on.year)
            return NumberSeries.objects.get(seller=seller, kind=kind, year=on.year).last

        results = together(6, lambda number: issue_one(owner, 1000, take=peek))
        assert all(isinstance(result, Exception) for result in results)


class TestCredits:
    def test_the_last_unit_is_spent_once(self) -> None:
        factories.staff()
        acme = account("acme")
        use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        crediting.request(acme.pk, Decimal(10), reason="welcome", actor=ADA)
        running.open_run(OCTOBER, actor=ADA)
        together(4, lambda number: drafting.draft_waiting())
        assert invoice(acme).credits == 10
        results = together(8, lambda number: crediting.request(acme.pk, Decimal(5), reason=f"c{number}", actor=ADA))
        assert not [result for result in results if isinstance(result, Exception)]
        assert invoice(acme).credits == 25
        assert sum(CreditGrant.objects.values_list("balance", flat=True)) == 25
        assert broken() == []


class TestShards:
    def test_workers_side_by_side_build_each_account_once(self) -> None:
        factories.staff()
        for number in range(12):
            account(f"a{number}")
            use(ran(f"w{number}", "standard-1x", OCTOBER.start, OCTOBER.end, f"a{number}"))
        run = running.open_run(OCTOBER, actor=ADA, shard_accounts=2)
        done = together(4, lambda number: drafting.draft_waiting())
        assert sum(result for result in done if isinstance(result, int)) == 6
        factories.approving.approve(run.pk, actor=factories.GRACE)
        issuing.start(run.pk, actor=factories.GRACE, issue_date=ON)
        while RunShard.objects.filter(run=run, phase="issue").exclude(state="done").exists():
            together(4, lambda number: issuing.issue_waiting())
        assert Invoice.objects.filter(status="open").count() == 12
        numbers = list(Invoice.objects.order_by("account_id").values_list("number", flat=True))
        assert numbers == sorted(numbers)
        assert broken() == []

    def test_a_month_is_opened_once(self) -> None:
        account("acme")
        opened = together(4, lambda number: running.open_run(OCTOBER, actor=f"user:{number}@example.com"))
        assert {run.pk for run in opened if isinstance(run, Run)} == {Run.objects.get().pk}

    def test_a_hold_that_comes_while_a_shard_is_priced_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        factories.staff()
        acme = account("acme")
        use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
        run = running.open_run(OCTOBER, actor=ADA)

        def meanwhile(name: str) -> None:
            if name == "draft.before_write":
                holding.hold(run.pk, acme.pk, reason="Disputed.", actor=ADA)

        monkeypatch.setattr(drafting, "failpoint", meanwhile)
        drafting.draft_waiting()
        assert (ending(run, acme).outcome, ending(run, acme).reason_code) == ("held", "manual")
        assert not Invoice.objects.exists()


class TestLedger:
    def test_a_fact_posts_once(self) -> None:
        owner = account("acme").pk

        def post(number: int) -> int | None:
            with audit.acting(ACTOR):
                return ledger.post(source_type="test", source_id=1, kind="x", account_id=owner, on=ON, currency="USD",
                                   legs=[("cash", Decimal(5)), ("unapplied", Decimal(-5))])  # fmt: skip

        results = together(8, post)
        assert sum(isinstance(result, int) for result in results) == 1
        assert LedgerTransaction.objects.count() == 1

    def test_no_row_of_a_refused_posting_stays(self) -> None:
        owner = account("acme").pk
        with pytest.raises((DatabaseError, Conflict)), transaction.atomic():
            ledger.post(source_type="test", source_id=2, kind="x", account_id=owner, on=ON, currency="USD",
                        legs=[("cash", Decimal(5)), ("unapplied", Decimal(-4))])  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from billing_ledgerentry")
            assert cursor.fetchone() == (0,)


def test_building_twice_at_once_changes_nothing() -> None:
    factories.staff()
    acme = account("acme")
    use(ran("w", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    build()
    before = invoice(acme).content_hash
    together(3, lambda number: drafting.draft_waiting())
    assert invoice(acme).content_hash == before
