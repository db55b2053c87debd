"""The list of invoices: what is filtered is what is summed up and what is exported."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.test import Client

from billing.models import Invoice, InvoiceStatus
from tests import factories
from tests.billing.pages.conftest import As, text_of

pytestmark = pytest.mark.django_db
BEGIN, HALF = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 16, 12, tzinfo=UTC)


@pytest.fixture
def issued(people: object) -> list[Invoice]:
    """October of three accounts: 50.00 and 12.50 USD, and one in JPY."""
    factories.account("acme", name="=HYPERLINK(acme)")
    factories.account("globex", name="Globex, Inc.")
    factories.account("kumo", name="雲株式会社", currency="JPY")
    factories.use(
        [
            *factories.ran("r1", "standard-2x", BEGIN, None, "acme"),
            *factories.ran("r2", "standard-1x", BEGIN, HALF, "globex"),
            *factories.ran("r3", "standard-1x", BEGIN, None, "kumo"),
        ]
    )
    factories.issue(factories.build())
    return list(Invoice.objects.order_by("account__code"))


@pytest.fixture
def ada(as_: As, issued: list[Invoice]) -> Client:
    return as_("ada")


def numbers(client: Client, query: str) -> list[str]:
    """The numbers that an export of the filtered list names."""
    answer = client.get(f"/invoices/export.csv?{query}")
    return sorted(row["account"] for row in csv.DictReader(io.StringIO(answer.getvalue().decode())))


class TestList:
    def test_sums_up_by_currency_what_it_shows(self, ada: Client) -> None:
        page = text_of(ada.get("/invoices/"))
        assert "Total of USD" in page
        assert "62.50 USD" in page
        assert "2 invoices" in page
        assert "Total of JPY" in page

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["acme", "globex", "kumo"]),
            ("month=2026-10", ["acme", "globex", "kumo"]),
            ("month=2026-09", []),
            ("q=GLOB", ["globex"]),
            ("q=-000002", ["globex"]),
            ("currency=jpy", ["kumo"]),
            ("min_total=50&currency=USD", ["acme"]),
            ("status=open", ["acme", "globex", "kumo"]),
            ("status=draft", []),
            ("payment=declined", []),
            ("status=nonsense", []),
            ("month=October", []),
            ("min_total=much", []),
        ],
    )
    def test_filters(self, ada: Client, query: str, found: list[str]) -> None:
        assert numbers(ada, query) == found
        assert ada.get(f"/invoices/?{query}").status_code == 200

    def test_shows_what_is_past_due(self, ada: Client, issued: list[Invoice]) -> None:
        assert numbers(ada, "status=past_due") == [i.account.code for i in issued if i.status == InvoiceStatus.OPEN]

    def test_says_what_is_wrong_with_a_filter(self, ada: Client) -> None:
        assert "is not a month" in text_of(ada.get("/invoices/?month=October"))

    def test_sorts_by_every_column(self, ada: Client) -> None:
        for column in ("number", "account", "period_start", "status", "payment_status", "issued_on", "due_on", "total"):
            assert ada.get(f"/invoices/?sort=-{column}").status_code == 200

    def test_leaves_shadows_out(self, ada: Client) -> None:
        factories.build(shadow=True)
        assert len(numbers(ada, "")) == 3

    def test_needs_no_more_queries_for_more_rows(self, ada: Client, django_assert_max_num_queries: object) -> None:
        with django_assert_max_num_queries(9):  # type: ignore[operator]
            ada.get("/invoices/")


class TestExport:
    def test_csv_keeps_digits_and_disarms_formulas(self, ada: Client) -> None:
        answer = ada.get("/invoices/export.csv?month=2026-10")
        rows = {row["account"]: row for row in csv.DictReader(io.StringIO(answer.getvalue().decode()))}
        assert rows["acme"]["account_name"] == "'=HYPERLINK(acme)"
        assert (rows["acme"]["total"], rows["kumo"]["total"]) == ("50", str(_plain("kumo")))
        assert rows["acme"]["issued_on"] == "2026-11-02"

    def test_xlsx_has_numbers_and_no_formulas(self, ada: Client) -> None:
        answer = ada.get("/invoices/export.xlsx?month=2026-10&sort=account")
        sheet = openpyxl.load_workbook(io.BytesIO(answer.getvalue())).active
        rows = list(sheet.iter_rows())  # type: ignore[union-attr]
        names = [cell.value for cell in rows[0]]
        first = dict(zip(names, rows[1], strict=True))
        assert (first["account_name"].value, first["account_name"].data_type) == ("=HYPERLINK(acme)", "s")
        assert (first["total"].value, first["total"].data_type) == (50, "n")
        assert first["issued_on"].is_date

    @pytest.mark.parametrize("who", ["sam", "omar"])
    def test_is_for_whoever_may_download(self, issued: list[Invoice], as_: As, who: str) -> None:
        assert as_(who).get("/invoices/export.csv").status_code == 403
        assert "export.csv" not in text_of(as_(who).get("/invoices/"))


def _plain(code: str) -> Decimal:
    return Invoice.objects.get(account__code=code).total.normalize().quantize(Decimal(1))
