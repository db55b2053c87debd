"""What the customer's month comes to, by day, app and resource, and where the running one is heading."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts.gates import PortalRequest, customer
from core import clock
from core.downloads import csv_download
from vault import running_month
from vault.tables import MonthResourceTable


@require_safe
@customer
def usage(request: PortalRequest) -> HttpResponse:
    """The page; for the overview's card only the sums."""
    if request.headers.get("HX-Target") == "current":
        return render(request, "portal/_current.html", running_month.sums(request.account))
    context = running_month.look(request.account, request.GET.dict())
    if context["by"] == "resource":
        parts = running_month.resources(context["usage"], request.GET.dict())
        table = MonthResourceTable(parts, currency=context["usage"].currency, linked=False)
        RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
        context["table"] = table
    return render(request, "portal/usage.html", context | {"export": "portal_usage_export"})


@require_safe
@customer
def export(request: PortalRequest) -> StreamingHttpResponse:
    """Every day and line of a month as CSV."""
    month = running_month.asked_month(request.GET.dict(), today=clock.today())
    use = running_month.month_use(request.account, month, as_of=clock.now())
    return csv_download(f"usage-{month}", running_month.HEADER, running_month.rows(use))
