"""The list of invoices: filtered, summed up, sorted, paged, and exported just as it is filtered."""

from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing.filters import InvoiceFilter
from billing.models import Invoice, InvoiceStatus
from billing.tables.invoices import COLUMNS, InvoiceTable, export_rows
from core.downloads import csv_download
from core.spreadsheets import xlsx_download

PER_PAGE: Final = 50
SORTABLE: Final = {
    "number": "number",
    "account": "account__name",
    "period_start": "period_start",
    "status": "status",
    "payment_status": "payment_status",
    "issued_on": "issued_on",
    "due_on": "due_on",
    "total": "total",
    "outstanding": "outstanding",
}


@require_safe
@staff("invoices.view")
def invoices(request: StaffRequest) -> HttpResponse:
    """Invoices of real runs, newest month first, with what the filtered ones come to by currency."""
    chosen = InvoiceFilter(request.GET, queryset=_all())
    table = InvoiceTable(chosen.found.select_related("account"), order_by="-period_start")
    RequestConfig(request, paginate={"per_page": PER_PAGE, "silent": True}).configure(table)
    context = {
        "filter": chosen,
        "table": table,
        "totals": totals(chosen.found),
        "may_export": has(request.user, "exports.download"),
    }
    return render(request, "billing/invoices.html", context)


@require_safe
@staff("exports.download")
def export_csv(request: StaffRequest) -> StreamingHttpResponse:
    """All filtered invoices as CSV."""
    return csv_download("invoices", COLUMNS, export_rows(_chosen(request)))


@require_safe
@staff("exports.download")
def export_xlsx(request: StaffRequest) -> FileResponse:
    """All filtered invoices as a workbook."""
    return xlsx_download("invoices", COLUMNS, export_rows(_chosen(request)))


def totals(found: QuerySet[Invoice]) -> list[dict[str, Any]]:
    """Return what ``found`` comes to per currency: how many, their total and what of it is outstanding."""
    rows = found.order_by("currency").values("currency")
    owed = Sum("outstanding", filter=~Q(status=InvoiceStatus.VOID), default=0)
    sums = rows.annotate(count=Count("pk"), total=Sum("total"), outstanding=owed)
    return [row | {"counted": f"{row['count']:,} invoice{'' if row['count'] == 1 else 's'}"} for row in sums]


def _all() -> QuerySet[Invoice]:
    return Invoice.objects.filter(shadow=False)


def _chosen(request: StaffRequest) -> QuerySet[Invoice]:
    """The filtered invoices in the order of the page."""
    asked = request.GET.get("sort", "")
    column = SORTABLE.get(asked.removeprefix("-"))
    order = f"{'-' if asked.startswith('-') else ''}{column}" if column else "-period_start"
    return InvoiceFilter(request.GET, queryset=_all()).found.order_by(order, "-pk")
