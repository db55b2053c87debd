"""Lists: counts, sorting that a screen reader hears, paging that keeps the filters, exports without markup."""

from datetime import UTC, date, datetime
from decimal import Decimal

import django_tables2 as tables
import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django_tables2 import LazyPaginator, RequestConfig

from core.tables import AmountColumn, DayColumn, MomentColumn, MonthColumn, QuantityColumn, StatusColumn, VaultTable


class Invoices(VaultTable):
    noun = "invoice"
    empty = "No invoice matches. Clear a filter."
    number = tables.Column()
    period = MonthColumn()
    due_on = DayColumn()
    built_at = MomentColumn()
    status = StatusColumn()
    hours = QuantityColumn()
    total = AmountColumn(currency="account__currency")


def rows(count: int) -> list[dict[str, object]]:
    return [
        {
            "number": f"<b>{index}</b>",
            "period": date(2026, 10, 1),
            "due_on": date(2026, 11, 2),
            "built_at": datetime(2026, 11, 1, 0, 5, tzinfo=UTC),
            "status": "past_due",
            "hours": Decimal("744.50"),
            "total": Decimal("-1234.5") if index else None,
            "account": {"currency": "KWD"},
        }
        for index in range(count)
    ]


def rendered(count: int, address: str = "/invoices/", paginator: type[Paginator] = Paginator) -> str:
    request = RequestFactory().get(address)
    table = Invoices(rows(count))
    RequestConfig(request, paginate={"per_page": 25, "paginator_class": paginator}).configure(table)
    html: str = Template("{% load django_tables2 %}{% render_table table %}").render(
        Context({"table": table, "request": request})
    )
    return html


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 invoices"), (1, "1 invoice"), (25, "25 invoices"), (26, "1–25 of 26 invoices")]
)
def test_says_how_many_there_are(count: int, words: str) -> None:
    assert f">{words}<" in rendered(count)


def test_says_what_to_do_when_there_are_none() -> None:
    assert "No invoice matches. Clear a filter." in rendered(0)


def test_a_list_that_does_not_count_says_what_it_shows() -> None:
    assert ">26–50 invoices<" in rendered(60, "/invoices/?page=2", LazyPaginator)


def test_values_have_their_form_and_numbers_their_side() -> None:
    html = rendered(2)
    assert (
        '<td class="num"><data class="amount negative" value="-1234.5">-1,234.500 <abbr>KWD</abbr></data></td>' in html
    )
    assert '<td class="num">744.5</td>' in html and "October 2026" in html and "1 Nov 2026 00:05 UTC" in html
    assert '<span class="badge bad">Past due</span>' in html and "—" in html


def test_escapes_what_customers_wrote() -> None:
    assert "<b>" not in rendered(1)


def test_the_sorted_column_says_so() -> None:
    assert 'aria-sort="descending"' in rendered(3, "/invoices/?sort=-number")
    assert rendered(3, "/invoices/?sort=-number").count("aria-sort") == 1


def test_paging_and_sorting_keep_the_filters() -> None:
    html = rendered(60, "/invoices/?status=paid&page=2")
    assert 'href="?status=paid&amp;page=3"' in html
    assert 'href="?status=paid&amp;page=1&amp;sort=number"' in html


def test_an_export_has_values_and_no_markup() -> None:
    header, _, row = list(Invoices(rows(2)).as_values())
    assert header == ["Number", "Period", "Due on", "Built at", "Status", "Hours", "Total"]
    assert row[1:] == ["2026-10", "2026-11-02", "2026-11-01T00:05:00Z", "past_due", "744.5", "-1234.5"]
