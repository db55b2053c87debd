"""The staff's home: the state of the month at a glance, what waits for a person, and the one obvious next step."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import permissions
from accounts.gates import StaffRequest, staff
from core import clock
from core.periods import Month
from insights import revenue
from insights.revenue import MonthRevenue
from vault import month_state

MONTHS_SHOWN: Final = 12
SOURCES_SHOWN: Final = 6


@require_safe
@staff("invoices.view")
def home(request: StaffRequest) -> HttpResponse:
    """Everything on one page; refreshes what moves while a run is being built."""
    today = clock.today()
    run = month_state.latest_run()
    month = Month.containing(run.month) if run else Month.containing(today).previous
    context = {
        "run": run,
        "month": month,
        "progress": month_state.how_far(run),
        "step": month_state.next_step(run, request.user, as_of=today),
        "money": month_state.money(month, as_of=today),
        "waiting": month_state.waiting(run),
        "sources": month_state.sources(at=clock.now())[:SOURCES_SHOWN],
        "charts": _charts(today),
        "may_see_runs": permissions.has(request.user, "runs.view"),
    }
    return render(request, "home.html", context)


def _charts(today: date) -> list[dict[str, Any]]:
    """The last twelve months in each currency, the most used first; amounts of two currencies have no common axis."""
    until = since = Month.containing(today)
    for _ in range(MONTHS_SHOWN):
        since = since.previous
    rows = revenue.by_month(since=since, until=until)
    by_currency: dict[str, list[MonthRevenue]] = {}
    for row in rows:
        by_currency.setdefault(row.currency, []).append(row)
    most_used = sorted(by_currency.items(), key=lambda item: -sum(row.invoices for row in item[1]))
    return [_chart(currency, months) for currency, months in most_used]


def _chart(currency: str, months: Sequence[MonthRevenue]) -> dict[str, Any]:
    return {
        "currency": currency,
        "billed": [(str(row.month), row.total, f"/invoices/?month={row.month}") for row in months],
        "labels": [str(row.month) for row in months],
        "series": [
            ("Collected", [row.collected for row in months]),
            ("Outstanding", [row.outstanding for row in months]),
        ],
    }
