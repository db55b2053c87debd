"""Revenue by month, by product and by mover, with the exports that other books read."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import staff
from core import clock
from core.downloads import csv_download
from core.errors import Invalid
from core.money import plain
from core.periods import Month
from insights import focus, journal, revenue

MONTHS_SHOWN = 12


@require_safe
@staff("reports.view")
def reports(request: HttpRequest) -> HttpResponse:
    """The last twelve months, and one month by product and by mover."""
    month = _chosen(request)
    since = month
    for _ in range(MONTHS_SHOWN - 1):
        since = since.previous
    months = revenue.by_month(since=since, until=month)
    context = {
        "month": month,
        "months": months[::-1],
        "charts": _charts(months),
        "products": revenue.by_product(month),
        "movers": revenue.movers(month),
    }
    return render(request, "insights/reports.html", context)


@require_safe
@staff("exports.download")
def journal_file(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The whole ledger as a plain-text journal."""
    style = request.GET.get("format", "hledger")
    if style not in journal.FORMATS:
        raise Invalid(f"{style!r} is not a journal format; use hledger or beancount", field="format")
    lines = (f"{line}\n" for line in journal.write(journal.legs(), style))
    return _download(lines, f"ledger.{'journal' if style == 'hledger' else 'beancount'}", "text/plain; charset=utf-8")


@require_safe
@staff("exports.download")
def focus_file(request: HttpRequest) -> StreamingHttpResponse:
    """One month's lines in the FOCUS columns, safe to open in a spreadsheet; the command writes them as they are."""
    month = _chosen(request)
    return csv_download(f"focus-{month}", focus.COLUMNS, (tuple(row.values()) for row in focus.rows(month)))


def _download(lines: Iterator[str], name: str, content_type: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type=content_type, headers=headers)


def _chosen(request: HttpRequest) -> Month:
    text = request.GET.get("month", "")
    return Month.parse(text) if text else Month.containing(clock.today()).previous


def _charts(months: list[revenue.MonthRevenue]) -> list[dict[str, Any]]:
    """One chart per currency, since amounts of different currencies have no common axis."""
    currencies = sorted({row.currency for row in months})
    return [
        {
            "currency": currency,
            "points": [
                (str(row.month), plain(row.net), f"?month={row.month}") for row in months if row.currency == currency
            ],
        }
        for currency in currencies
    ]
