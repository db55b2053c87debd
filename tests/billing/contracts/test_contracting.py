"""Contracts on the way through: agreed, heeded by runs, corrected with late usage, ended; and what is refused."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Account
from billing import contracting, pricing, rerating
from billing.contracting import OwnPrice
from billing.current import current_usage
from billing.models import Contract, Price, Product
from core import audit, clock
from core.errors import Conflict, Invalid
from core.periods import Month
from monitoring import invariants
from tests import factories
from tests.factories import ACTOR, ADA, OCTOBER, account, build, close, ending, invoice, lines, ran, use

pytestmark = pytest.mark.django_db
SEPTEMBER = OCTOBER.previous
START, END = SEPTEMBER.start, SEPTEMBER.end
SHOP, BLOG = "shop", "blog"


@pytest.fixture
def acme() -> Account:
    factories.staff()
    return account("acme")


def agreed(owner: Account, terms: dict[str, Any] | None = None, **more: Any) -> Contract:
    said: dict[str, Any] = {
        "valid_from": SEPTEMBER,
        "valid_to": None,
        "name": "Partner",
        "reason": "Signed.",
        "actor": ADA,
    }
    return contracting.agree(owner.pk, terms=terms or {}, **(said | more))


def holds() -> None:
    """Every invariant of the books, once the deferred triggers have spoken."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate; set constraints all deferred")
    broken = [one.name for one in invariants.collect() if not invariants.check(one).holds]
    assert [name for name in broken if name.startswith("billing/")] == []


class TestAMonth:
    def test_own_price_discount_and_minimum_are_lines_of_the_invoice(self, acme: Account) -> None:
        agreed(
            acme,
            {"discounts": [{"name": "Launch partner", "rate": "0.1"}], "minimum_spend": "60"},
            prices=[OwnPrice("standard-2x", {"model": "prorated", "unit_amount": "40"}, "month")],
        )
        use(ran("w", "standard-2x", START, END, "acme", SHOP))
        use(ran("b", "basic", START, END, "acme", BLOG))
        close(SEPTEMBER)
        assert lines(invoice(acme, SEPTEMBER)) == [
            (BLOG, "Basic", Decimal("7.00")),
            (SHOP, "Standard-2X", Decimal("40.00")),
            ("", "Launch partner", Decimal("-4.70")),
            ("", "Minimum spend: unused part", Decimal("17.70")),
        ]
        assert invoice(acme, SEPTEMBER).total == Decimal("60.00")
        holds()

    def test_another_account_pays_the_list_price(self, acme: Account) -> None:
        agreed(acme, prices=[OwnPrice("standard-2x", {"model": "prorated", "unit_amount": "40"}, "month")])
        other = account("other")
        use(ran("w", "standard-2x", START, END, "other", SHOP))
        build(SEPTEMBER)
        assert lines(invoice(other, SEPTEMBER)) == [(SHOP, "Standard-2X", Decimal("50.00"))]

    def test_a_minimum_is_billed_without_any_usage(self, acme: Account) -> None:
        agreed(acme, {"minimum_spend": "25"})
        close(SEPTEMBER)
        assert invoice(acme, SEPTEMBER).total == 25
        holds()

    def test_it_counts_in_its_own_months_only(self, acme: Account) -> None:
        agreed(acme, {"minimum_spend": "25"}, valid_from=OCTOBER, valid_to=OCTOBER.next)
        assert ending(close(SEPTEMBER), acme).outcome == "zero"
        close(OCTOBER)
        assert invoice(acme, OCTOBER).total == 25

    def test_the_running_month_shows_it_but_nothing_to_be_made_up_to(self, acme: Account) -> None:
        agreed(acme, {"discounts": [{"name": "D", "rate": "0.5"}], "minimum_spend": "100"})
        use(ran("w", "standard-2x", START, None, "acme", SHOP))
        now = current_usage(acme, as_of=START + (END - START) / 2)
        assert (now.total, now.forecast) == (Decimal("12.50"), Decimal("100.00"))


class TestLateUsage:
    TERMS = {"discounts": [{"name": "D", "rate": "0.5"}], "commitment": {"amount": "30", "overage_rate": "0.2"}}

    def test_comes_to_what_the_month_would_have_come_to(self, acme: Account) -> None:
        agreed(acme, self.TERMS)
        use(ran("w", "standard-2x", START, END, "acme", SHOP))  # 50, halved to 25, made up to 30
        close(SEPTEMBER)
        use(ran("late", "standard-2x", START, END, "acme", BLOG))  # 100 in all, halved to 50, 20 % off the 20 beyond 30
        close(OCTOBER)
        after = invoice(acme, OCTOBER)
        adjusted = sum(line.amount for line in after.lines.filter(kind="adjustment"))
        assert invoice(acme, SEPTEMBER).subtotal == 30
        assert invoice(acme, SEPTEMBER).subtotal + adjusted == Decimal("46.00")
        assert not [one for one in rerating.rerate(SEPTEMBER) if one.differences]
        holds()

    def test_that_is_withdrawn_gives_back_as_much(self, acme: Account) -> None:
        agreed(acme, {"discounts": [{"name": "D", "rate": "0.5"}]})
        use(ran("w", "standard-2x", START, None, "acme", SHOP))
        close(SEPTEMBER)
        use(ran("x", "basic", START, END, "acme", SHOP))
        use([{"id": "c", "type": "close", "time": "2026-09-16T00:00:00Z", "resource": "w", "product": "standard-2x"}])
        run = build(OCTOBER)
        made = ending(run, acme)
        adjusted = sum(line.amount for line in invoice(acme, OCTOBER).lines.filter(kind="adjustment"))
        assert made.outcome in ("drafted", "held")
        assert invoice(acme, SEPTEMBER).subtotal + adjusted == Decimal("16.00")  # half of 25 and 7


class TestAgreeing:
    def test_what_was_agreed_never_changes_and_ends_once(self, acme: Account) -> None:
        contract = agreed(acme, prices=[OwnPrice("basic", {"model": "prorated", "unit_amount": "5"}, "month")])
        contracting.end(contract.pk, valid_to=Month(2027, 1), reason="Moved on.", actor=ADA)
        assert Price.objects.get(contract=contract).valid_to == Month(2027, 1).start
        with pytest.raises(Conflict, match="ends with"):
            contracting.end(contract.pk, valid_to=Month(2027, 2), reason="Again.", actor=ADA)

    @pytest.mark.parametrize(
        ("terms", "field"),
        [
            ({"minimum_spend": "0.001"}, "terms"),
            ({"discounts": [{"name": "D", "rate": "1.5"}]}, "terms.discounts[0].rate"),
            ({"discounts": [{"name": "D", "rate": "0.5", "amount": "3"}]}, "terms.discounts[0].rate"),
            ({"discounts": [{"name": "D", "rate": "0.5", "groups": ["dinos"]}]}, "terms"),
            ({"allowances": [{"name": "A", "products": ["no-such"], "quantity": "3"}]}, "terms"),
            ({"allowances": [{"name": "A", "products": [], "quantity": "3"}]}, "terms.allowances[0].products"),
            ({"minimum_spend": "9", "maximum_spend": "8"}, "terms.maximum_spend"),
            ({"discounts": [{"name": "D", "rate": "0.5"}] * 2}, "terms"),
            ({"surprise": 1}, "terms.surprise"),
        ],
    )
    def test_terms_that_cannot_be_are_refused_with_their_field(
        self, acme: Account, terms: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            agreed(acme, terms)
        assert refused.value.field == field
        assert not Contract.objects.exists()

    def test_one_at_a_time(self, acme: Account) -> None:
        agreed(acme, valid_to=OCTOBER)
        with pytest.raises(Conflict, match="another contract"):
            agreed(acme)
        agreed(acme, valid_from=OCTOBER)

    def test_months_that_a_run_has_rated_keep_their_terms(self, acme: Account) -> None:
        earlier = agreed(acme, {"minimum_spend": "5"}, valid_from=SEPTEMBER.previous)
        build(SEPTEMBER)
        with pytest.raises(Invalid, match="2026-10 or a later one"):
            agreed(account("other"))
        with pytest.raises(Invalid, match="2026-10 or a later one"):
            contracting.end(earlier.pk, valid_to=SEPTEMBER, reason="No.", actor=ADA)

    def test_its_prices_are_not_on_the_list(self, acme: Account) -> None:
        agreed(acme, prices=[OwnPrice("basic", {"model": "prorated", "unit_amount": "5"}, "month")])
        basic, now = Product.objects.get(code="basic"), clock.now()
        pricing.schedule(
            product=basic, currency="USD", terms={"model": "prorated", "unit_amount": "8"}, unit="month",
            valid_from=Month(2027, 5).start, now=now, actor=ADA, reason="Costs rose.",
        )  # fmt: skip
        assert Price.objects.listed().filter(product=basic, currency="USD").count() == 2


class TestTheDatabaseRefuses:
    @pytest.mark.parametrize(
        "statement",
        [
            "update billing_contract set terms = '{}', name = 'Other'",
            "delete from billing_contract",
            "truncate billing_contract cascade",
            "update billing_contract set valid_to = '2027-01-15'",
            "update billing_contract set valid_to = '2027-01-01'; set constraints all immediate",  # not its price
            "insert into billing_contract (account_id, currency, name, valid_from, terms, reason, created_by)"
            " select account_id, currency, 'Twin', valid_from, '{}', 'r', 'user:x' from billing_contract",
            "insert into billing_price (product_id, currency, model, terms, unit, valid_from, contract_id)"
            " select product_id, 'EUR', model, terms, unit, valid_from, contract_id from billing_price"
            " where contract_id is not null; set constraints all immediate",
        ],
    )
    def test(self, acme: Account, statement: str) -> None:
        agreed(acme, prices=[OwnPrice("basic", {"model": "prorated", "unit_amount": "5"}, "month")])
        with pytest.raises(DatabaseError), audit.acting(ACTOR), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert Contract.objects.get().valid_to is None

    def test_nothing_of_this_is_refused_without_need(self, acme: Account) -> None:
        contract = agreed(acme, prices=[OwnPrice("basic", {"model": "prorated", "unit_amount": "5"}, "month")])
        with audit.acting(ACTOR), connection.cursor() as cursor:
            cursor.execute("update billing_contract set valid_to = '2027-01-01'")
            cursor.execute("update billing_price set valid_to = '2027-01-01 00:00+00' where contract_id is not null")
            cursor.execute("set constraints all immediate")
        contract.refresh_from_db()
        assert contract.valid_to == date(2027, 1, 1)
        holds()
