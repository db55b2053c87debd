"""What a month gave up is billed by the next one that succeeds, however many gave up in between."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Account
from billing import gathering, holding, running, voiding
from billing.models import Run
from core import audit
from core.periods import Month
from tests import factories
from tests.billing.test_interplay import verified
from tests.factories import ADA, GRACE, account, build, ending, invoice, lines, ran, use

pytestmark = pytest.mark.django_db
JUNE = Month(2026, 6)
JULY, AUGUST, SEPTEMBER, OCTOBER = JUNE.next, JUNE.next.next, Month(2026, 9), Month(2026, 10)


@pytest.fixture
def acme() -> Account:
    """Acme runs w for 25 a month from June to October; Bolt keeps the runs from being empty."""
    factories.staff()
    made = account("acme")
    account("bolt")
    use(ran("w", "standard-1x", JUNE.start, OCTOBER.end, "acme"))
    use(ran("b", "basic", JUNE.start, OCTOBER.end, "bolt"))
    return made


def gave_up(month: Month, owner: Account) -> Run:
    """Close a month without the account."""
    run = build(month)
    holding.hold(run.pk, owner.pk, reason="Disputed.", actor=ADA)
    factories.issue(run, month.next.first_day.replace(day=2))
    return running.close(run.pk, actor=ADA, reason="enough")


def test_four_months_given_up_are_billed_by_the_fifth(acme: Account) -> None:
    for month in (JUNE, JULY, AUGUST, SEPTEMBER):
        gave_up(month, acme)
    run = build(OCTOBER)
    looked = gathering.gather(run, run.shards.get(phase="draft"))
    assert [late.month for late in looked.late if acme.pk in late.rostered] == [JUNE, JULY, AUGUST, SEPTEMBER]
    assert [late.month for late in looked.late if len(late.rostered) == 2] == [AUGUST, SEPTEMBER], "Bolt's are settled"
    factories.issue(run)
    assert [amount for _, _, amount in lines(invoice(acme))] == [25] * 5
    assert verified()


def test_nothing_of_it_is_billed_a_second_time(acme: Account) -> None:
    for month in (JUNE, JULY, AUGUST):
        gave_up(month, acme)
    factories.close(SEPTEMBER)
    factories.close(OCTOBER)
    assert invoice(acme, SEPTEMBER).total == 100
    assert lines(invoice(acme, OCTOBER)) == [("shop", invoice(acme, OCTOBER).lines.get().description, Decimal(25))]


def test_an_account_that_left_meanwhile_is_billed_too() -> None:
    factories.staff()
    gone = account("gone")
    account("bolt")
    use(ran("b", "basic", JUNE.start, OCTOBER.end, "bolt"))
    use(ran("w", "standard-1x", JUNE.start, JUNE.end, "gone"))
    with audit.acting(factories.ACTOR):
        Account.objects.filter(pk=gone.pk).update(closed_at=JUNE.end)
    for month in (JUNE, JULY, AUGUST, SEPTEMBER):
        gave_up(month, gone)
    run = factories.close(OCTOBER)
    assert (ending(run, gone).outcome, invoice(gone, OCTOBER).total) == ("issued", 25)


def test_late_usage_of_the_month_before_those_given_up_is_not_lost(acme: Account) -> None:
    factories.close(JUNE)
    use(ran("more", "basic", JUNE.start, JUNE.end, "acme"))
    for month in (JULY, AUGUST, SEPTEMBER):
        gave_up(month, acme)
    factories.close(OCTOBER)
    assert sorted(amount for _, _, amount in lines(invoice(acme))) == [7, 25, 25, 25, 25]


def test_a_month_that_was_voided_long_after_is_billed_again(acme: Account) -> None:
    for month in (JUNE, JULY, AUGUST, SEPTEMBER):
        factories.close(month)
    voiding.void(invoice(acme, JUNE).pk, reason="Wrong party.", actor=GRACE, on=date(2026, 10, 5))
    factories.close(OCTOBER)
    assert [amount for _, _, amount in lines(invoice(acme))] == [25, 25]
    november = build(OCTOBER.next, shadow=True)
    assert ending(november, acme).outcome == "zero"
