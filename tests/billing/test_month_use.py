"""A month by day and by resource: what it sums to, running, over, and billed."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from billing.month_use import MonthUse, month_use
from tests import factories
from tests.factories import OCTOBER, account, invoice, ran, use
from tests.usage.factories import measured
from usage.stretches import Kind

pytestmark = pytest.mark.django_db
START, DAY = OCTOBER.start, timedelta(days=1)


def told(found: MonthUse) -> dict[date, Decimal]:
    return {day.day: day.amount for day in found.days() if day.amount}


def seen(code: str, at: datetime) -> MonthUse:
    return month_use(account(code), OCTOBER, as_of=at)


def test_a_running_month_has_every_day_that_has_begun() -> None:
    use(ran("w", "standard-2x", START + DAY / 2, None, "acme"))
    found = seen("acme", START + 3 * DAY + DAY / 4)
    assert found.total == Decimal("4.44")  # 50 x 2.75 days of 31
    assert told(found) == {
        date(2026, 10, 1): Decimal("0.81"),
        date(2026, 10, 2): Decimal("1.62"),  # the coin that is left over falls to the larger remainder
        date(2026, 10, 3): Decimal("1.61"),
        date(2026, 10, 4): Decimal("0.40"),
    }
    assert [day.day.day for day in found.days()] == [1, 2, 3, 4]
    assert [part.used for day in found.days() for part in day.parts] == [43_200, 86_400, 86_400, 21_600]


def test_a_flat_fee_is_of_the_day_that_it_was_taken() -> None:
    use(ran("e", "eco", START + 4 * DAY, None, "acme"))
    assert told(seen("acme", START + 9 * DAY)) == {date(2026, 10, 5): 5}


def test_what_is_measured_counts_on_its_day() -> None:
    acme = account("acme")
    use(ran("w", "standard-1x", START, START + DAY, "acme"))
    use([measured(30, "2000000", "w", "router-requests"), measured(31, "1000000", "w", "router-requests")])
    days = month_use(acme, OCTOBER, as_of=OCTOBER.end).days()
    counted = [(day.day.day, part.used) for day in days for part in day.parts if part.charge.kind.meter == "requests"]
    assert counted == [(2, 3_000_000)]


def test_a_billed_month_says_what_was_billed() -> None:
    acme = account("acme")
    use(ran("w", "standard-2x", START, START + 10 * DAY, "acme"))
    use(ran("v", "standard-1x", START + 5 * DAY, None, "acme", app="blog"))
    factories.close()
    billed = invoice(acme)
    use(ran("late", "performance-l", START, None, "acme"))
    found = month_use(acme, OCTOBER, as_of=OCTOBER.end + 9 * DAY)
    assert (found.invoice, found.total, found.waiting) == (billed.number, billed.subtotal, "")
    assert sum(told(found).values()) == billed.subtotal, "usage that became known later is not in it"
    assert len(found.days()) == 31
    assert sum(part.amount for part in found.resources()) == billed.subtotal
    assert {part.resource for part in found.resources()} == {"w", "v"}


def test_lines_that_are_of_no_day_stand_beside() -> None:
    acme, september = account("acme"), OCTOBER.previous
    use(ran("w", "standard-2x", september.start, None, "acme"))
    factories.close(september)
    use(ran("late", "standard-1x", september.start, september.end, "acme"))
    factories.close()
    found = month_use(acme, OCTOBER, as_of=OCTOBER.end)
    assert [(other.description, other.amount) for other in found.others] == [("Standard-1X (September 2026)", 25)]
    assert sum(told(found).values()) == found.total == invoice(acme).subtotal - 25


def test_a_month_that_is_over_and_not_billed_is_priced_as_known_now() -> None:
    use(ran("w", "standard-2x", START, None, "acme"))
    found = seen("acme", OCTOBER.end + 9 * DAY)
    assert (found.total, found.forecast, found.invoice, len(found.days())) == (50, 50, "", 31)


def test_resources_share_their_line_to_the_coin() -> None:
    for name in ("a", "b", "c"):
        use(ran(name, "standard-1x", START, START + DAY, "acme"))
    use(ran("other", "standard-2x", START, START + DAY, "acme", app="blog"))
    found = seen("acme", START + 2 * DAY)
    parts = found.resources(Kind("shop", "standard-1x", "duration", ""))
    assert [(part.resource, part.amount, part.used) for part in parts] == [
        ("a", Decimal("0.81"), 86_400),
        ("b", Decimal("0.81"), 86_400),
        ("c", Decimal("0.80"), 86_400),
    ]
    assert sum(part.amount for part in found.resources()) == found.total


def test_nothing_used_and_nothing_to_price() -> None:
    acme = account("acme")
    assert month_use(acme, OCTOBER, as_of=START).days() == []
    assert [day.amount for day in month_use(acme, OCTOBER, as_of=START + DAY).days()] == [0]
    use(ran("x", "no-such-plan", START, None, "acme"))
    found = month_use(acme, OCTOBER, as_of=START + DAY)
    assert "no-such-plan" in found.waiting and found.days() == found.resources() == []


def test_another_accounts_usage_is_not_in_it() -> None:
    use(ran("w", "standard-2x", START, None, "other"))
    found = seen("acme", START + DAY)
    assert (found.total, found.resources()) == (0, [])
