"""The running month: the same lines as an invoice would have, and a forecast at the pace of the last day."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.current import current_usage
from tests import factories
from tests.factories import OCTOBER, account, invoice, lines, ran, use

pytestmark = pytest.mark.django_db
START = OCTOBER.start


def test_is_what_the_invoice_will_say_once_the_month_is_over() -> None:
    acme = account("acme")
    use(ran("w", "standard-2x", START, START + timedelta(days=9, seconds=7), "acme", component="web"))
    use(ran("e", "eco", START + timedelta(days=3), None, "acme"))
    now = current_usage(acme, as_of=OCTOBER.end - timedelta(microseconds=1))
    factories.staff()
    factories.build()
    assert [(line.app, line.description, line.amount) for line in now.lines] == lines(invoice(acme))
    assert now.total == now.forecast == invoice(acme).subtotal


def test_forecasts_at_the_pace_of_the_last_day() -> None:
    acme = account("acme")
    use(ran("w", "standard-2x", START, None, "acme"))
    use(ran("gone", "performance-l", START, START + timedelta(days=2), "acme"))
    now = current_usage(acme, as_of=START + timedelta(days=31) / 2)
    assert now.total == Decimal("25.00") + Decimal("32.26")
    assert now.forecast == Decimal("50.00") + Decimal("32.26"), "what stopped days ago does not go on"


def test_the_forecast_goes_on_as_the_last_day_did_by_hand() -> None:
    """Ten days in: one dyno for the whole time, a second one for the last six hours; 21 days are ahead.

    standard-2x costs 50 for 31 days. So far 10 + 0.25 days; a day at this pace is 1.25 days of use.
    """
    acme = account("acme")
    use(ran("a", "standard-2x", START, None, "acme"))
    use(ran("b", "standard-2x", START + timedelta(days=9, hours=18), None, "acme"))
    now = current_usage(acme, as_of=START + timedelta(days=10))
    assert now.total == Decimal("16.53")  # 50 x 10.25 / 31 = 16.532…
    assert now.forecast == Decimal("58.87")  # 50 x (10.25 + 21 x 1.25) / 31 = 58.870…


def test_on_the_first_day_the_pace_is_that_of_its_hours() -> None:
    acme = account("acme")
    use(ran("a", "standard-2x", START + timedelta(hours=1), None, "acme"))
    now = current_usage(acme, as_of=START + timedelta(hours=4))
    assert now.total == Decimal("0.20")  # 50 x 3 / 744 = 0.2016…
    assert now.forecast == Decimal("37.50")  # three of the four hours so far: 50 x 0.75


def test_on_the_last_day_hardly_anything_is_ahead() -> None:
    acme = account("acme")
    use(ran("a", "standard-2x", START, None, "acme"))
    now = current_usage(acme, as_of=OCTOBER.end - timedelta(hours=6))
    assert (now.total, now.forecast) == (Decimal("49.60"), Decimal("50.00"))  # 50 x 738 / 744 = 49.596…


def test_an_account_that_began_in_mid_month_is_not_forecast_back() -> None:
    acme = account("acme")
    use(ran("a", "standard-2x", START + timedelta(days=15), None, "acme"))
    now = current_usage(acme, as_of=START + timedelta(days=16))
    assert (now.total, now.forecast) == (Decimal("1.61"), Decimal("25.81"))  # 50 x 1 / 31; 50 x 16 / 31


def test_nothing_used_heads_for_nothing() -> None:
    assert current_usage(account("acme"), as_of=START + timedelta(days=9)).forecast == 0


def test_a_flat_fee_is_not_forecast_twice() -> None:
    acme = account("acme")
    use(ran("e", "eco", START, None, "acme"))
    now = current_usage(acme, as_of=START + timedelta(days=10))
    assert (now.total, now.forecast) == (5, 5)


def test_the_first_moment_and_an_unpriced_product_are_no_error() -> None:
    acme = account("acme")
    assert current_usage(acme, as_of=START).total == 0
    use(ran("x", "no-such-plan", START, None, "acme"))
    assert "no-such-plan" in current_usage(acme, as_of=START + timedelta(days=1)).waiting


def test_another_accounts_usage_is_not_in_it() -> None:
    acme, other = account("acme"), account("other")
    use(ran("w", "standard-2x", START, None, "other"))
    assert current_usage(acme, as_of=START + timedelta(days=5)).lines == []
    assert current_usage(other, as_of=START + timedelta(days=5)).total > 0
