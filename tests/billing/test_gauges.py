"""A gauge from intake to the printed line: GB-hours and GB-months, exact to the coin."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from billing import explaining, pricing
from billing.documents.presenting import price, quantity
from billing.models import InvoiceLine, Product
from core import audit
from tests import factories
from tests.factories import ACTOR, OCTOBER, account, build, close, ending, invoice, lines, use
from usage import ownerships

pytestmark = pytest.mark.django_db
START, END = OCTOBER.start, OCTOBER.end
SEPTEMBER = OCTOBER.previous
HOURLY = {"model": "hourly_capped", "unit_amount": "0.0137", "cap_amount": None}
MONTHLY = {"model": "prorated", "unit_amount": "0.23"}


@pytest.fixture(autouse=True)
def cast() -> None:
    factories.staff()


def sell(code: str, name: str, terms: dict[str, Any], unit: str) -> None:
    with audit.acting(ACTOR):
        product = Product.objects.create(code=code, name=name, group="data")
    since = datetime(2026, 1, 1, tzinfo=UTC)
    more: dict[str, Any] = {"valid_from": since, "now": since, "actor": ACTOR, "reason": "new"}
    pricing.schedule(product=product, currency="USD", terms=terms, unit=unit, **more)


def levels(product: str, said: Iterable[tuple[datetime, str]], resource: str = "bucket") -> list[dict[str, Any]]:
    """Samples of one resource's gauge; the first names who owns it."""
    about = {
        "type": "gauge",
        "resource": resource,
        "product": product,
        "meter": "storage",
        "account": "acme",
        "app": "shop",
    }
    return [
        about | {"id": f"{resource}:{at.isoformat()}", "time": at.isoformat(), "quantity": level} for at, level in said
    ]


def line() -> InvoiceLine:
    return InvoiceLine.objects.select_related("invoice__account", "price__product", "adjusts").get()


def test_gigabyte_hours_are_billed_exactly_and_read_sensibly() -> None:
    acme = account("acme")
    sell("disk", "Disk", HOURLY, "GB-hour")
    use(levels("disk", [(START, "2.5"), (START + timedelta(hours=400), "1.25"), (START + timedelta(hours=587.6), "0")]))
    build()
    hours = Fraction(5, 2) * 400 + Fraction(5, 4) * Fraction("187.6")
    assert hours == Fraction("1234.5")
    assert lines(invoice(acme)) == [("shop", "Disk", Decimal("16.91"))], "1,234.5 x 0.0137 = 16.91265"
    found = line()
    assert (found.usage, found.quantity, found.resources) == (hours * 3600, Decimal("1234.5"), 1)
    assert (found.meter, found.unit, found.unrounded) == ("storage", "GB-hour", Decimal("16.91265"))
    assert f"{quantity(found.quantity, found.unit)} at {price(found.unit_amount, found.unit, 'USD')}" == (
        "1,234.5 at 0.0137 / GB-hour"
    )
    facts = dict(explaining.explain(found).facts)
    assert facts["Measured"] == "4,444,200 GB-seconds"


def test_gigabyte_months_of_a_whole_month_cost_the_list_price() -> None:
    acme = account("acme")
    sell("disk", "Disk", MONTHLY, "GB-month")
    hours = int((END - START) / timedelta(hours=1))
    use(levels("disk", ((START + timedelta(hours=n), "100") for n in range(hours))))
    build()
    assert lines(invoice(acme)) == [("shop", "Disk", Decimal("23.00"))]
    assert (line().quantity, line().usage) == (100, 100 * OCTOBER.seconds)
    assert quantity(line().quantity, line().unit) == "100"


def test_a_level_carries_on_into_the_next_month_and_moves_with_its_owner() -> None:
    acme, bob = account("acme"), account("bob")
    sell("disk", "Disk", MONTHLY, "GB-month")
    use(levels("disk", [(SEPTEMBER.start + timedelta(days=29), "30")]))
    close(SEPTEMBER)
    assert invoice(acme, SEPTEMBER).total == Decimal("0.23"), "30 GB on the last of 30 days"
    half = START + timedelta(days=15.5)
    ownerships.transfer(resource="bucket", giver="acme", taker="bob", at=half, by="test")
    build()
    assert [invoice(owner).total for owner in (acme, bob)] == [Decimal("3.45")] * 2


def test_a_late_sample_adjusts_the_next_invoice() -> None:
    acme = account("acme")
    sell("disk", "Disk", MONTHLY, "GB-month")
    use(levels("disk", [(SEPTEMBER.start, "100"), (SEPTEMBER.end, "0")]))
    close(SEPTEMBER)
    assert invoice(acme, SEPTEMBER).total == Decimal("23.00")
    use(levels("disk", [(SEPTEMBER.start + timedelta(days=15), "60")]))
    build()
    adjusted = InvoiceLine.objects.get(kind="adjustment")
    assert adjusted.amount == Decimal("-4.60"), "40 GB less for half of September"
    assert adjusted.adjusts == invoice(acme, SEPTEMBER)


def test_a_price_by_count_parks_the_account_with_a_reason() -> None:
    acme = account("acme")
    sell("disk", "Disk", {"model": "per_unit", "unit_amount": "1"}, "GB")
    use(levels("disk", [(START, "1")]))
    found = ending(build(), acme)
    assert (found.outcome, found.reason_code) == ("held", "unpriced")
    assert "priced by count" in found.reason
