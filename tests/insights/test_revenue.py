"""Revenue agrees with the invoices it is read from, month by month and currency by currency."""

from decimal import Decimal

import pytest

from billing.models import Invoice
from core.periods import Month
from insights import revenue
from tests import factories
from tests.factories import OCTOBER

pytestmark = pytest.mark.django_db
SEPTEMBER = OCTOBER.previous


@pytest.fixture
def two_months() -> None:
    """Acme grows from one dyno to two, Globex leaves, Initech comes; Kyoto pays in yen."""
    factories.account("acme", region="DC")
    factories.account("globex")
    factories.account("initech")
    factories.account("kyoto", currency="JPY", country="JP")
    first, second, third = SEPTEMBER.start, OCTOBER.start, OCTOBER.end
    factories.use(factories.ran("a1", "standard-1x", first, third, "acme"))
    factories.use(factories.ran("g1", "standard-2x", first, second, "globex"))
    factories.use(factories.ran("k1", "standard-1x", first, third, "kyoto"))
    factories.close(SEPTEMBER)
    factories.use(factories.ran("a2", "standard-1x", second, third, "acme"))
    factories.use(factories.ran("i1", "performance-m", second, third, "initech"))
    factories.close(OCTOBER)


@pytest.mark.usefixtures("two_months")
class TestRevenue:
    def test_sums_each_month_and_currency(self) -> None:
        rows = {(str(r.month), r.currency): r for r in revenue.by_month(since=SEPTEMBER, until=OCTOBER)}
        assert {key: row.net for key, row in rows.items()} == {
            ("2026-09", "JPY"): 3750,
            ("2026-09", "USD"): Decimal(75),
            ("2026-10", "JPY"): 3750,
            ("2026-10", "USD"): Decimal(300),
        }
        assert rows["2026-10", "USD"].tax == Decimal("3.00")
        assert sum(row.invoices for row in rows.values()) == Invoice.objects.count() == 6

    def test_leaves_out_months_beyond_the_range(self) -> None:
        assert {row.month for row in revenue.by_month(since=OCTOBER, until=OCTOBER)} == {OCTOBER}

    def test_compares_products_with_the_month_before(self) -> None:
        rows = {(row.product, row.currency): row for row in revenue.by_product(OCTOBER)}
        assert rows["standard-1x", "USD"].amount == 50
        assert rows["standard-1x", "USD"].change == 25
        assert rows["standard-2x", "USD"].amount == 0
        assert rows["performance-m", "USD"].accounts == 1

    def test_names_what_became_of_each_account(self) -> None:
        kinds = {row.account: (row.kind, row.change) for row in revenue.movers(OCTOBER)}
        assert kinds == {"acme": ("up", 25), "globex": ("gone", -50), "initech": ("new", 250)}

    def test_shows_at_most_the_limit_of_each_currency(self) -> None:
        assert [row.account for row in revenue.movers(OCTOBER, limit=1)] == ["initech"]


def test_nothing_issued_is_nothing_to_report() -> None:
    factories.account("acme")
    factories.use(factories.ran("a1", "standard-1x", OCTOBER.start, OCTOBER.end, "acme"))
    factories.staff()
    factories.build()
    assert revenue.by_month(since=Month(2026, 1), until=OCTOBER) == []
    assert revenue.by_product(OCTOBER) == []
