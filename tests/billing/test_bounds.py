"""What is beyond any sensible bound is refused: dates, fineness, credits in slices, and one person under two names."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from billing import approving, crediting, fineness, issuing, people, pricing, running
from billing.models import CreditGrant, NumberSeries, Product
from collections_ import paying
from core import audit, clock
from core.errors import Invalid, Refused
from tests import factories
from tests.factories import ADA, GRACE, OCTOBER, SAM, account, build, ran, use

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cast() -> None:
    factories.staff()


def force(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('vault.actor', 'user:mallory@example.com', true)")
        cursor.execute(statement)


class TestTheDayOfIssue:
    @pytest.mark.parametrize("on", [date(2062, 11, 2), date(2025, 11, 2), date(2026, 9, 30)])
    def test_is_in_no_mistyped_year(self, on: date) -> None:
        account("acme")
        use(ran("w", "basic", OCTOBER.start, OCTOBER.end, "acme"))
        run = build()
        approving.approve(run.pk, actor=GRACE)
        with pytest.raises(Invalid, match="not a day to issue 2026-10 on"):
            issuing.start(run.pk, actor=GRACE, issue_date=on)
        assert not NumberSeries.objects.exists()
        with pytest.raises(DatabaseError, match="cannot be issued on"):
            force(f"update billing_run set issue_date = '{on}'")
        assert issuing.start(run.pk, actor=GRACE, issue_date=date(2026, 11, 2)).state == "issuing"

    def test_of_a_number_neither(self) -> None:
        with pytest.raises(DatabaseError, match="can be dated"):
            force("insert into billing_numberseries (seller_id, kind, year, last, last_on)"
                  " select id, 'invoice', 2062, 0, '2062-01-01' from billing_seller limit 1")  # fmt: skip


def test_the_receipt_of_money_is_not_to_come() -> None:
    acme, today = account("acme"), clock.database_now().date()
    given = {"account_id": acme.pk, "currency": "USD", "amount": Decimal(5), "method": "cash", "actor": ADA}
    with pytest.raises(Invalid, match="still to come"):
        paying.record(reference="a", received_on=today.replace(year=today.year + 1), **given)  # type: ignore[arg-type]
    paying.record(reference="b", received_on=today, **given)  # type: ignore[arg-type]
    with pytest.raises(DatabaseError, match="not_of_the_future"):
        force("insert into collections_payment (account_id, currency, amount, applied, refunded, method, reference,"
              " received_on, recorded_by, recorded_at) select account_id, currency, 1, 0, 0, method, 'c', '2062-01-01',"
              " '', now() from collections_payment")  # fmt: skip


class TestAPrice:
    @pytest.mark.parametrize("finer", ["0.0000000000001", "1.0000000000005", "0.000000000000000000000000000001"])
    def test_is_no_finer_than_a_line_can_keep(self, finer: str) -> None:
        product = Product.objects.get(code="basic")
        given = {"product": product, "currency": "CHF", "unit": "month", "actor": ADA, "reason": "new",
                 "valid_from": datetime(2030, 1, 1, tzinfo=UTC), "now": clock.database_now()}  # fmt: skip
        terms = {"model": "graduated", "tiers": [{"up_to": None, "unit_amount": finer}]}
        with pytest.raises(Invalid, match="12 digits") as refused:
            pricing.schedule(terms=terms, **given)  # type: ignore[arg-type]
        assert refused.value.field == "tiers[0].unit_amount"
        with pytest.raises(DatabaseError, match="no_finer_than_a_line"):
            force("insert into billing_price (product_id, currency, model, terms, unit, valid_from) values"
                  f""" ({product.pk}, 'CHF', 'flat', '{{"unit_amount": "{finer}"}}', 'x', '2030-01-01')""")  # fmt: skip

    @pytest.mark.parametrize("fine", ["0.000000000001", "1.0000000000000000", "7", 3])
    def test_may_be_as_fine(self, fine: object) -> None:
        fineness.refuse_finer({"unit_amount": fine})


class TestTheLimitOfAPerson:
    def test_is_for_all_of_a_month_and_one_account(self) -> None:
        acme, bolt = account("acme"), account("bolt")
        states = [
            crediting.request(who.pk, Decimal(amount), reason="slow", actor=SAM).state
            for who, amount in ((acme, 60), (acme, "40.01"), (acme, 40), (acme, "0.01"), (bolt, 100))
        ]
        assert states == ["active", "requested", "active", "requested", "active"]
        assert crediting.given_alone(acme, User.objects.get(email="sam@example.com")) == 100

    def test_forgets_what_somebody_else_approved_and_what_is_of_last_month(self) -> None:
        acme = account("acme")
        asked = crediting.request(acme.pk, Decimal(500), reason="slow", actor=SAM)
        crediting.approve(asked.pk, actor=ADA)
        long_ago = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
        with audit.acting(SAM):
            CreditGrant.objects.create(account=acme, currency="USD", amount=90, balance=90, reason="before",
                                       state="active", requested_by=SAM, requested_at=long_ago)  # fmt: skip
        assert CreditGrant.objects.count() == 2
        assert crediting.request(acme.pk, Decimal(100), reason="slow", actor=SAM).state == "active"


class TestOnePerson:
    def test_stays_one_after_a_change_of_address(self) -> None:
        account("acme")
        run = running.open_run(OCTOBER, actor=ADA)
        factories.drafting.draft_waiting()
        rename("ada", "countess")
        assert people.same(ADA, "user:countess@example.com")
        assert not people.same(GRACE, "user:countess@example.com")
        with pytest.raises(Refused):
            approving.approve(run.pk, actor="user:countess@example.com")
        assert approving.approve(run.pk, actor=GRACE).state == "approved"

    def test_is_not_let_off_by_an_address_that_was_handed_on(self) -> None:
        rename("ada", "countess")
        rename("grace", "ada")
        assert people.same(ADA, "user:countess@example.com")
        assert people.same(ADA, GRACE), "it was hers for a while: a third person decides"

    def test_keeps_to_the_limit_under_both_addresses(self) -> None:
        acme = account("acme")
        crediting.request(acme.pk, Decimal(90), reason="slow", actor=SAM)
        rename("sam", "samuel")
        assert crediting.request(acme.pk, Decimal(20), reason="x", actor="user:samuel@example.com").state == "requested"


def rename(name: str, to: str) -> None:
    with audit.acting(factories.ACTOR):
        User.objects.filter(email=f"{name}@example.com").update(email=f"{to}@example.com")
