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
