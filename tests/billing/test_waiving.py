"""Usage without an owner or a price holds its accounts until it is settled, or accepted as not billed by a person."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Account
from billing import drafting, pricing, retrying, unbilled, unpriced, waiving
from billing.models import Invoice, Price, Product, Run, RunAccount, UnbilledCount, UsageWaiver
from core import audit, clock
from core.errors import Conflict, Invalid, NotFound
from core.models import AuditEntry
from core.periods import Month
from tests import factories
from tests.factories import ADA, GRACE, OCTOBER, account, ran, use
from tests.usage.factories import hour, measured
from usage import ownerships
from usage.ownerships import Statement

pytestmark = pytest.mark.django_db
START, DAY = OCTOBER.start, timedelta(days=1)
WHY = "A test resource of ours"


def owned(resource: str, owner: str, start: float, end: float | None = None) -> None:
    said = Statement(f"own-{resource}-{start}", owner, resource, "", hour(start), hour(end) if end else None)
    ownerships.state(said, by="test")


def gap(acme: Account) -> None:
    """A dyno of acme that ran a day before acme owned it."""
    use([event | {"account": ""} for event in ran("w", "standard-2x", START, None, "acme")])
    owned("w", acme.code, 24)


def ending(run: Run, owner: Account) -> tuple[str, str]:
    entry = RunAccount.objects.get(run=run, account=owner)
    return entry.outcome, entry.reason_code


def again(run: Run, owner: Account) -> tuple[str, str]:
    retrying.retry_account(run.pk, owner.pk, actor=ADA)
    drafting.draft_waiting()
    return ending(run, owner)


def add_product(code: str, *, priced_from: object = None) -> None:
    product = pricing.add_product(code=code, name=code, group="other", partner=False, actor=ADA, reason="test")
    if priced_from:
        with audit.acting(ADA):
            terms = {"model": "prorated", "unit_amount": "310"}
            Price.objects.create(
                product=product, currency="USD", model="prorated", terms=terms, valid_from=priced_from
            )  # fmt: skip


class TestUnowned:
    def test_holds_its_accounts_until_it_is_accepted(self) -> None:
        acme, other = account("acme"), account("other")
        gap(acme)
        use(ran("o", "standard-1x", START, None, "other"))
        factories.staff()
        run = factories.build()
        assert (ending(run, acme), ending(run, other)) == (("held", "unowned"), ("drafted", ""))
        assert again(run, acme) == ("held", "unowned"), "a retry alone settles nothing"
        (waiver,) = waiving.accept_unowned(OCTOBER, [("w", "standard-2x")], reason=WHY, actor=ADA)
        assert (waiver.amount, waiver.reason, waiver.accepted_by) == (86_400, WHY, ADA)
        assert again(run, acme) == ("drafted", "")
        assert factories.invoice(acme).subtotal == Decimal("48.39")  # 30 of 31 days: the gap is not billed
        assert AuditEntry.objects.filter(table="billing_usagewaiver", actor=ADA, reason=WHY).count() == 1

    def test_that_grows_waits_again(self) -> None:
        acme = account("acme")
        gap(acme)
        factories.staff()
        run = factories.build()
        waiving.accept_unowned(OCTOBER, [("w", "standard-2x")], reason=WHY, actor=ADA)
        use([event | {"account": ""} for event in ran("v", "standard-1x", START, None, "acme")])
        owned("v", "acme", 24)
        assert again(run, acme) == ("held", "unowned"), "another resource is not what was accepted"
        waiving.accept_unowned(OCTOBER, [("v", "standard-1x")], reason=WHY, actor=ADA)
        assert again(run, acme) == ("drafted", "")

    def test_waits_again_when_the_waiver_is_withdrawn(self) -> None:
        acme = account("acme")
        gap(acme)
        factories.staff()
        (waiver,) = waiving.accept_unowned(OCTOBER, [("w", "standard-2x")], reason=WHY, actor=ADA)
        run = factories.build()
        assert ending(run, acme) == ("drafted", "")
        for _ in range(2):
            assert waiving.withdraw(waiver.pk, reason="It was theirs", actor=GRACE).withdrawn_by == GRACE
        factories.build(shadow=True)
        shadow = Run.objects.get(shadow=True)
        assert ending(shadow, acme) == ("held", "unowned")
        owned("w", "acme", 0, 24)
        assert ending(factories.build(shadow=True), acme) == ("drafted", ""), "stating the owner settles it too"


class TestUnpriced:
    def test_is_found_with_whose_when_and_why(self) -> None:
        acme = account("acme")
        add_product("gold", priced_from=START + 10 * DAY)
        use(ran("g", "gold", START + 4 * DAY, START + 12 * DAY, "acme"))
        use(ran("w", "standard-2x", START, None, "acme"))
        use([measured(3, "5", "w", "no-such")])
        eco = account("eco", currency="EUR")
        use(ran("e", "gold", START, START + DAY, "eco"))
        found = unpriced.unpriced(OCTOBER, cutoff=clock.database_now())
        assert [piece[:6] for piece in found] == [
            (acme, "gold", START, START + 10 * DAY, 6 * 86_400, False),
            (acme, "no-such", START, START + 10 * DAY, 5, True),
            (eco, "gold", START, START + 10 * DAY, 86_400, False),
        ]
        assert found[0].why.startswith("gold has no price in USD on 2026-10-01")

    def test_holds_its_account_until_it_is_accepted_and_stays_unbilled(self) -> None:
        acme = account("acme")
        september = OCTOBER.previous
        use(ran("x", "gold", september.start, september.end, "acme"))
        use(ran("w", "standard-2x", september.start, None, "acme"))
        factories.staff()
        run = factories.build(september)
        assert ending(run, acme) == ("held", "unpriced")
        waiving.accept_unpriced(september, [("acme", "gold")], reason=WHY, actor=ADA)
        assert again(run, acme) == ("drafted", "")
        factories.issue(run, september.end.date())
        assert unpriced.unpriced(september, cutoff=clock.database_now()) == []
        add_product("gold", priced_from=september.start)
        run = factories.build()
        assert ending(run, acme) == ("drafted", "")
        assert Invoice.objects.get(run=run).subtotal == 50, "a price that is added later bills nothing that was waived"

    def test_of_another_product_still_holds(self) -> None:
        acme = account("acme")
        use(ran("x", "gold", START, None, "acme") + ran("y", "silver", START, None, "acme"))
        factories.staff()
        run = factories.build()
        waiving.accept_unpriced(OCTOBER, [("acme", "gold")], reason=WHY, actor=ADA)
        assert again(run, acme) == ("held", "unpriced")
        assert "silver" in RunAccount.objects.get(run=run, account=acme).reason


Accept = Callable[..., list[UsageWaiver]]


@pytest.mark.parametrize("accept", [waiving.accept_unowned, waiving.accept_unpriced])
def test_what_cannot_be_accepted(accept: Accept) -> None:
    with pytest.raises(NotFound, match="look at the list again"):
        accept(OCTOBER, [("r", "gold")], reason=WHY, actor=ADA)
    with pytest.raises(Invalid):
        accept(OCTOBER, [("r", "gold")], reason=" ", actor=ADA)
    with pytest.raises(Conflict, match="is not over"):
        accept(Month.containing(clock.now()), [("r", "gold")], reason=WHY, actor=ADA)


def test_the_database_keeps_what_was_accepted() -> None:
    gap(account("acme"))
    (waiver,) = waiving.accept_unowned(OCTOBER, [("w", "standard-2x")], reason=WHY, actor=ADA)
    table = "billing_usagewaiver"
    for change in (f"update {table} set amount = 1", f"delete from {table}", f"update {table} set withdrawn_by = 'x'"):
        with pytest.raises(DatabaseError), transaction.atomic(), audit.acting(ADA), connection.cursor() as cursor:
            cursor.execute(change)
    with pytest.raises(DatabaseError, match="one_waiver"), audit.acting(ADA):
        waiver.pk = None
        waiver.save(force_insert=True)


def test_both_months_are_counted() -> None:
    acme = account("acme")
    start = Month.containing(clock.now()).start
    use([event | {"account": ""} for event in ran("w", "standard-2x", start - DAY, None, "acme")])
    owned_from = Statement("own", "acme", "w", "", start, None)
    ownerships.state(owned_from, by="test")
    use(ran("x", "gold", start, None, "acme") + ran("s", "eco", start, None, "stranger"))
    unbilled.count()
    before, now = unbilled.latest(clock.database_now())
    assert (before.unowned, before.unpriced, before.strangers) == (1, 0, 0)
    assert (now.unowned, now.unpriced, now.strangers) == (0, 1, 1)
    unbilled.count()
    assert UnbilledCount.objects.count() == 2 and acme.code == "acme"
    assert Product.objects.filter(code="gold").count() == 0
