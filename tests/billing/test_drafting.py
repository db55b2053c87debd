"""Drafting a month: what is on an invoice, who waits, and that one account's fault stays its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing import draft_store, drafting, holding, pricing, retrying, running
from billing.draft import DraftLine
from billing.models import CreditApplication, Invoice, InvoiceLine, Price, Product, Run, RunAccount, RunShard
from core import audit, clock
from core.errors import Conflict
from core.periods import Month
from tests import factories
from tests.factories import ACTOR, ADA, OCTOBER, account, build, ending, invoice, lines, ran, use
from usage import ownerships

pytestmark = pytest.mark.django_db
START, END = OCTOBER.start, OCTOBER.end
NOVEMBER = OCTOBER.next


@pytest.fixture(autouse=True)
def cast() -> None:
    factories.staff()


class TestWhatIsOnTheInvoice:
    def test_a_full_month_costs_exactly_the_list_price(self) -> None:
        acme = account("acme")
        use(ran("web.1", "standard-2x", START, END, "acme", component="web"))
        build()
        assert lines(invoice(acme)) == [("shop", "web · Standard-2X", Decimal("50.00"))]

    def test_it_groups_by_app_and_sums_resources_of_one_kind(self) -> None:
        acme = account("acme")
        for number in (1, 2):
            use(ran(f"web.{number}", "standard-1x", START, END, "acme", "shop", component="web"))
        use(ran("db", "postgres-standard-0", START, END, "acme", "api"))
        use(ran("one", "basic", START, START + timedelta(days=31) / 2, "acme", "shop", component="worker"))
        build()
        assert lines(invoice(acme)) == [
            ("api", "Standard-0 Postgres", Decimal("50.00")),
            ("shop", "worker · Basic", Decimal("3.50")),
            ("shop", "web · Standard-1X", Decimal("50.00")),
        ]
        line = invoice(acme).lines.get(component="web")
        assert (line.resources, line.usage, line.quantity) == (2, 2 * OCTOBER.seconds, 2)

    def test_a_plan_change_is_two_lines_each_rounded(self) -> None:
        """O8: ten days of Standard-1X and 21 of Standard-2X are 8.06 + 33.87."""
        acme, change = account("acme"), START + timedelta(days=10)
        use(ran("web.1", "standard-1x", START, change, "acme"))
        use(ran("web.1", "standard-2x", change, END, "acme"))
        build()
        assert invoice(acme).total == Decimal("41.93")

    def test_a_flat_fee_is_due_in_full_even_on_the_last_day(self) -> None:
        acme = account("acme")
        use(ran("eco", "eco", END - timedelta(hours=1), END, "acme"))
        build()
        assert lines(invoice(acme)) == [("shop", "Eco", Decimal("5.00"))]

    def test_counted_quantities_are_summed(self) -> None:
        acme = account("acme")
        use([
            {"id": f"m{day}", "type": "measured", "time": f"2026-10-{day:02}T12:00:00Z", "resource": "router",
             "product": "router-requests", "meter": "requests", "quantity": "600000", "account": "acme", "app": "shop"}
            for day in (1, 2, 3)
        ])  # fmt: skip
        build()
        line = invoice(acme).lines.get()
        assert (line.amount, line.usage, line.meter) == (Decimal("0.40"), 1_800_000, "requests")

    def test_a_price_change_in_the_month_splits_the_line(self) -> None:
        acme, change = account("acme"), datetime(2026, 10, 11, tzinfo=UTC)
        product = Product.objects.get(code="standard-1x")
        with audit.acting(ACTOR):
            Price.objects.filter(product=product, currency="USD").update(valid_to=change)
            new = Price.objects.get(product=product, currency="USD")
            new.pk, new.terms, new.valid_from, new.valid_to = (
                None,
                {"model": "prorated", "unit_amount": "31"},
                change,
                None,
            )
            new.save(force_insert=True)
        use(ran("web.1", "standard-1x", START, END, "acme"))
        use(ran("web.2", "standard-2x", START, END, "acme"))
        build()
        made = invoice(acme)
        assert [(line.amount, line.period_start) for line in made.lines.filter(product="standard-1x")] == [
            (Decimal("8.06"), START),
            (Decimal("21.00"), change),
        ]
        assert made.lines.filter(product="standard-2x").count() == 1, "a price that did not change is one line"

    def test_a_transfer_bills_each_owner_their_seconds(self) -> None:
        """O11: 100 seconds for the old owner, the rest for the new one."""
        old, new = account("old"), account("new")
        use(ran("web.1", "performance-l", START, END, "old"))
        ownerships.transfer(resource="web.1", giver="old", taker="new", at=START + timedelta(seconds=100), by=ACTOR)
        build()
        assert [invoice(who).lines.get().usage for who in (old, new)] == [100, OCTOBER.seconds - 100]

    def test_tax_is_computed_once_on_the_subtotal(self) -> None:
        acme = account("acme", region="DC")
        for number in range(3):
            use(ran(f"w{number}", "basic", START, START + timedelta(days=1), "acme", f"app-{number}"))
        build()
        made = invoice(acme)
        assert (made.subtotal, made.tax_name, made.tax, made.total) == (
            Decimal("0.69"), "Sales tax", Decimal("0.04"), Decimal("0.73"),
        )  # fmt: skip

    def test_the_exempt_pay_no_tax_and_yen_have_no_decimals(self) -> None:
        exempt, tokyo = account("exempt", region="DC", tax_exempt=True), account("tokyo", currency="JPY", country="JP")
        use(ran("a", "basic", START, END, "exempt"))
        use(ran("b", "basic", START, START + timedelta(days=10), "tokyo"))
        build()
        assert invoice(exempt).total == 7
        assert (invoice(tokyo).subtotal, invoice(tokyo).tax, invoice(tokyo).total) == (339, 34, 373)


class TestHowAccountsEnd:
    def test_the_roster_adds_up_and_says_why(self) -> None:
        idle, busy, odd = account("idle"), account("busy"), account("odd")
        use(ran("w", "standard-1x", START, END, "busy"))
        use(ran("x", "no-such-plan", START, END, "odd"))
        run = build()
        assert [ending(run, who).outcome for who in (idle, busy, odd)] == ["zero", "drafted", "held"]
        assert ending(run, odd).reason_code == "unpriced"
        assert "no-such-plan" in ending(run, odd).reason
        progress = running.progress(run)
        assert sum(progress.outcomes.values()) == progress.roster == RunAccount.objects.filter(run=run).count()

    def test_a_currency_without_a_price_waits(self) -> None:
        swiss = account("swiss", currency="CHF")
        use(ran("w", "standard-1x", START, END, "swiss"))
        assert "has no price in CHF" in ending(build(), swiss).reason

    def test_a_product_priced_the_wrong_way_waits(self) -> None:
        acme = account("acme")
        use(ran("w", "router-requests", START, END, "acme"))
        assert "running time" in ending(build(), acme).reason

    def test_usage_that_nobody_owns_holds_its_neighbours(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", START + timedelta(days=5), END, "acme"))
        events = ran("w", "standard-1x", START, START + timedelta(days=2), "acme")
        use([{key: value for key, value in event.items() if key != "account"} for event in events])
        assert ending(build(), acme).reason_code == "unowned"

    def test_a_contradiction_holds_the_account(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", START, END, "acme"))
        use(ran("w", "standard-2x", START + timedelta(days=1), END, "acme"))
        assert ending(build(), acme).reason_code == "overlap"

    def test_what_rounds_to_nothing_is_no_invoice(self) -> None:
        acme = account("acme")
        use(ran("w", "basic", START, START + timedelta(seconds=1), "acme"))
        assert ending(build(), acme).outcome == "zero"

    def test_one_account_that_cannot_be_built_stops_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        good, bad = account("good"), account("bad")
        for who in ("good", "bad"):
            use(ran(f"w-{who}", "standard-1x", START, END, who))
        rate_of = drafting.assemble.__globals__["month_lines"]

        def explode(rows: Any, *others: Any) -> Any:
            if any(row.account == "bad" for row in rows):
                raise ZeroDivisionError("a fault of ours")
            return rate_of(rows, *others)

        monkeypatch.setitem(drafting.assemble.__globals__, "month_lines", explode)
        run = build()
        assert (ending(run, good).outcome, ending(run, bad).outcome) == ("drafted", "failed")
        monkeypatch.undo()
        assert retrying.retry_failed(run.pk, actor=ADA) == 1
        drafting.draft_waiting()
        assert ending(run, bad).outcome == "drafted"

    def test_a_draft_that_the_database_refuses_fails_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        owners = [account(f"a{number}") for number in range(5)]
        for owner in owners:
            use(ran(f"w-{owner.code}", "standard-1x", START, END, owner.code, f"app-of-{owner.code}"))
        row_of = draft_store.line_row

        def too_long(made: int, position: int, line: DraftLine) -> tuple[Any, ...]:
            wrong = replace(line, description="x" * 301) if line.app == "app-of-a3" else line
            return row_of(made, position, wrong)

        monkeypatch.setattr(draft_store, "line_row", too_long)
        run = build()
        assert [ending(run, owner).outcome for owner in owners] == ["drafted"] * 3 + ["failed", "drafted"]
        assert "too long" in ending(run, owners[3]).reason

    def test_an_unusual_jump_waits_for_a_look(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", Month(2026, 7).start, None, "acme"))
        for month in (Month(2026, 7), Month(2026, 8), Month(2026, 9)):
            factories.close(month)
        for number in range(60):
            use(ran(f"big.{number}", "performance-l", START, END, "acme"))
        run = build()
        assert ending(run, acme).reason_code == "unusual"
        assert ending(run, acme).invoice is not None, "the draft is there to look at"
        holding.release(run.pk, acme.pk, reason="A launch; they told us.", actor=ADA)
        assert ending(run, acme).outcome == "drafted"

    def test_an_account_closed_before_is_not_on_the_roster(self) -> None:
        gone = account("gone", closed_at=Month(2026, 6).start)
        run = build()
        assert not RunAccount.objects.filter(run=run, account=gone).exists()


class TestLateUsage:
    def test_it_lands_on_the_next_invoice_and_names_the_first(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", START, None, "acme"))
        factories.close(OCTOBER)
        use(ran("late", "standard-2x", START, START + timedelta(days=31) / 2, "acme"))
        run = build(NOVEMBER, shadow=True)
        made = ending(run, acme).invoice
        assert made is not None
        line = made.lines.get(kind="adjustment")
        assert (line.amount, line.adjusts) == (Decimal("25.00"), invoice(acme))
        assert line.description == "Standard-2X (October 2026)"
        assert line.reason == f"1339200 seconds became known after invoice {invoice(acme).number}."

    def test_what_was_billed_too_much_comes_back(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", START, None, "acme"))
        use(ran("two", "standard-2x", START, None, "acme"))
        factories.close(OCTOBER)
        use([{"id": "c", "type": "close", "time": "2026-10-01T12:00:00Z", "resource": "w", "product": "standard-1x"}])
        made = ending(build(NOVEMBER, shadow=True), acme).invoice
        assert made is not None
        assert [line.amount for line in made.lines.filter(kind="adjustment")] == [Decimal("0.40") - 25]

    def test_it_is_adjusted_once(self) -> None:
        acme, september = account("acme"), Month(2026, 9)
        use(ran("w", "standard-1x", september.start, None, "acme"))
        factories.close(september)
        use(ran("late", "standard-2x", september.start, september.end, "acme"))
        factories.close(OCTOBER)
        assert [line.amount for line in invoice(acme).lines.filter(kind="adjustment")] == [Decimal("50.00")]
        made = ending(build(NOVEMBER, shadow=True), acme).invoice
        assert made is not None
        assert not made.lines.filter(kind="adjustment").exists()

    def test_less_than_nothing_waits(self) -> None:
        acme = account("acme")
        use(ran("w", "performance-l", Month(2026, 9).start, None, "acme"))
        factories.close(Month(2026, 9))
        use([{"id": "c", "type": "close", "time": "2026-09-02T00:00:00Z", "resource": "w", "product": "performance-l"}])
        assert ending(build(), acme).reason_code == "negative"


class TestRuns:
    def test_a_month_that_is_not_over_is_refused(self) -> None:
        with pytest.raises(Conflict, match="is not over"):
            running.open_run(Month.containing(clock.today()), actor=ADA)

    def test_a_second_call_returns_the_first(self) -> None:
        account("acme")
        assert build().pk == running.open_run(OCTOBER, actor="user:grace@example.com").pk

    def test_shards_are_of_equal_size(self) -> None:
        for number in range(7):
            account(f"a{number}")
        run = build(shard_accounts=3)
        assert list(RunShard.objects.filter(run=run).order_by("number").values_list("accounts", flat=True)) == [3, 3, 1]

    def test_a_shadow_leaves_the_real_month_alone(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", START, END, "acme"))
        shadow, real = build(shadow=True), build()
        assert (shadow.state, real.state) == ("review", "review")
        assert Invoice.objects.filter(account=acme).count() == 2
        assert not CreditApplication.objects.exists()

    def test_the_same_facts_make_the_same_drafts(self) -> None:
        for code in ("a", "b", "c"):
            account(code, region="DC")
            use(ran(f"w-{code}", "standard-1x", START, START + timedelta(days=7, seconds=13), code))
        first, second = build(shadow=True), build(shadow=True)

        def said(run: Run) -> list[tuple[str, str]]:
            return list(
                Invoice.objects.filter(run=run).order_by("account").values_list("account__code", "content_hash")
            )

        assert said(first) == said(second)

    def test_drafting_again_rewrites_nothing_else(self) -> None:
        acme = account("acme")
        use(ran("w", "standard-1x", START, END, "acme"))
        run = build()
        before = invoice(acme).content_hash
        RunShard.objects.filter(run=run).update(state="ready")
        with audit.acting(ACTOR):
            Run.objects.filter(pk=run.pk).update(state="drafting")
        drafting.draft_waiting()
        assert invoice(acme).content_hash == before
        assert InvoiceLine.objects.filter(invoice__account=acme).count() == 1

    def test_the_number_of_statements_does_not_grow_with_the_accounts(self) -> None:
        def statements() -> int:
            from django.test.utils import CaptureQueriesContext

            with CaptureQueriesContext(connection) as seen:
                build(shadow=True)
            return len(seen)

        account("a0")
        use(ran("w0", "standard-1x", START, END, "a0"))
        few = statements()
        for number in range(1, 30):
            account(f"a{number}")
            use(ran(f"w{number}", "standard-1x", START, END, f"a{number}"))
        assert statements() == few


class TestPrices:
    def test_a_price_for_what_had_none_lets_a_held_account_go_on(self) -> None:
        acme = account("acme")
        use(ran("w", "gpu-large", START, END, "acme"))
        run = build()
        product = pricing.add_product(
            code="gpu-large", name="GPU", group="dyno", partner=False, actor=ADA, reason="new"
        )
        pricing.schedule(
            product=product, currency="USD", terms={"model": "prorated", "unit_amount": "900"}, unit="month",
            valid_from=START, now=clock.now(), actor=ADA, reason="was forgotten",
        )  # fmt: skip
        holding.release(run.pk, acme.pk, reason="priced now", actor=ADA)
        drafting.draft_waiting()
        assert invoice(acme).total == 900
