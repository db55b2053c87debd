"""What an account's month comes to by day, app and resource; its sum is fetched beside the account's own page."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts import permissions, registering
from accounts.gates import StaffRequest, staff
from core import clock
from core.downloads import csv_download
from vault import running_month
from vault.tables import MonthResourceTable


@require_safe
@staff("usage.view")
def current(request: StaffRequest, code: str) -> HttpResponse:
    """The card alone for the account's page, a whole page for everybody else."""
    account = registering.find(code)
    context: dict[str, Any] = {"account": account, "part": "usage"}
    if request.headers.get("HX-Target") == "current":
        return render(request, "accounts/_current.html", context | running_month.sums(account))
    context |= running_month.look(account, request.GET.dict())
    if context["by"] == "resource":
        parts = running_month.resources(context["usage"], request.GET.dict())
        table = MonthResourceTable(parts, currency=context["usage"].currency, linked=True)
        RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
        context["table"] = table
    may_export = permissions.has(request.user, "exports.download")
    return render(request, "accounts/current.html", context | {"may_export": may_export})


@require_safe
@staff("exports.download")
def export(request: StaffRequest, code: str) -> StreamingHttpResponse:
    """Every day and line of a month as CSV."""
    account, month = registering.find(code), running_month.asked_month(request.GET.dict(), today=clock.today())
    use = running_month.month_use(account, month, as_of=clock.now())
    return csv_download(f"usage-{account.code}-{month}", running_month.HEADER, running_month.rows(use))
