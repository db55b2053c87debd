"""The worklist of cases, and what is owed by age."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import django_tables2 as tables
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import permissions
from accounts.gates import StaffRequest, staff
from billing.models import Invoice
from collections_ import owing, worklist
from collections_.aging import AGING_BUCKETS
from collections_.forms import WorklistFilter
from collections_.models import AttemptOutcome, Case, CaseState, ChargeAttempt, CollectionsDay
from collections_.tables import CaseTable, OwedTable
from core import clock
from core.downloads import csv_download

PER_PAGE: Final = 50
PAUSES: Final = {
    "no": Q(held_until=None, promised_until=None),
    "hold": Q(held_until__isnull=False),
    "promise": Q(promised_until__isnull=False),
}
TABS: Final = (
    ("Worklist", "/collections/"),
    ("Aging", "/collections/aging/"),
    ("Payments", "/payments/"),
    ("Charges", "/payments/charges/"),
)
Context = dict[str, Any]


@require_safe
@staff("collections.view")
def cases(request: StaffRequest) -> HttpResponse:
    """Cases to work on, the largest debt first."""
    today, form = clock.today(), WorklistFilter(request.GET)
    table = CaseTable(_matching(request, form, today), as_of=today, order_by="-past_due")
    tables.RequestConfig(request, paginate={"per_page": PER_PAGE, "silent": True}).configure(table)
    table.next_of = worklist.next_steps([row.record for row in table.page.object_list], today)
    context = {
        "form": form,
        "table": table,
        "tabs": tabs(request),
        "head": _head(today),
        "may_export": permissions.has(request.user, "exports.download"),
        "may_work": permissions.has(request.user, "collections.work"),
    }
    return render(request, "collections/worklist.html", context)


@require_safe
@staff("exports.download")
def export(request: StaffRequest) -> StreamingHttpResponse:
    """The same cases, all of them, as CSV."""
    today = clock.today()
    found = _matching(request, WorklistFilter(request.GET), today).order_by(F("past_due").desc(), "pk")
    header = "account name email currency past_due invoices oldest_due held_until promised_for assignee opened state"
    return csv_download("cases", header.split(), _rows(found))


@require_safe
@staff("collections.view")
def aging(request: StaffRequest) -> HttpResponse:
    """What is owed by currency and age, and the invoices behind one bucket."""
    today = clock.today()
    currency, name = request.GET.get("currency", "").upper(), request.GET.get("bucket", "")
    bucket = next((bucket for bucket in AGING_BUCKETS if bucket.name == name), None)
    found: QuerySet[Invoice] = owing.owed().select_related("account")
    if currency:
        found = found.filter(currency=currency)
    if bucket:
        found = found.filter(owing.within(bucket, today))
    table = OwedTable(found, as_of=today, order_by="due_on")
    tables.RequestConfig(request, paginate={"per_page": PER_PAGE, "silent": True}).configure(table)
    context = {
        "charts": [_chart(owed) for owed in owing.by_currency(today)],
        "table": table,
        "tabs": tabs(request),
        "chosen": " · ".join(filter(None, (currency, f"{bucket.name} days" if bucket and bucket.first_day else name))),
    }
    return render(request, "collections/aging.html", context)


def tabs(request: StaffRequest) -> list[Context]:
    """The four lists of money coming in, with the one that is shown marked."""
    return [{"label": label, "href": href, "current": request.path == href} for label, href in TABS]


def _chart(owed: owing.Currency) -> Context:
    buckets = [
        (aged.bucket.name, aged.amount, f"?currency={owed.code}&bucket={aged.bucket.name.replace('+', '%2B')}")
        for aged in owed.buckets
    ]
    return {"currency": owed.code, "buckets": buckets, "total": owed.total, "past_due": owed.past_due}


def _head(today: date) -> Context:
    unclear = ChargeAttempt.objects.filter(outcome__in=[AttemptOutcome.UNKNOWN, AttemptOutcome.MANUAL])
    return {
        "open": Case.objects.filter(state=CaseState.OPEN).count(),
        "past_due": [(owed.code, owed.past_due) for owed in owing.by_currency(today) if owed.past_due],
        "unclear": unclear.aggregate(
            unknown=Count("pk", filter=Q(outcome="unknown")), manual=Count("pk", filter=Q(outcome="manual"))
        ),
        "day": CollectionsDay.objects.first(),
    }


def _matching(request: StaffRequest, form: WorklistFilter, today: date) -> QuerySet[Case]:
    """The cases that the filter asks for; whatever of it cannot be read narrows nothing."""
    form.is_valid()
    chosen = form.cleaned_data
    found = worklist.cases(today)
    if (state := chosen.get("state") or CaseState.OPEN) != "all":
        found = found.filter(state=state)
    if text := chosen.get("q", "").strip():
        found = found.filter(
            Q(account__code__icontains=text) | Q(account__name__icontains=text) | Q(account__email__icontains=text)
        )
    if currency := chosen.get("currency"):
        found = found.filter(currency=currency.upper())
    found = found.filter(PAUSES.get(chosen.get("pause", ""), Q()))
    return found.filter(_assigned(request, chosen.get("assignee", "")))


def _assigned(request: StaffRequest, choice: str) -> Q:
    if choice == "nobody":
        return Q(assignee=None)
    if choice == "me":
        return Q(assignee=request.user.pk)
    return Q(assignee=choice) if choice else Q()


def _rows(found: QuerySet[Case]) -> Iterator[tuple[Any, ...]]:
    for case in found.iterator(chunk_size=2000):
        account, counted = case.account, (case.past_due, case.invoices, case.oldest)  # type: ignore[attr-defined]
        paused = (case.held_until, case.promised_until)  # type: ignore[attr-defined]  # annotated, as above
        assignee = case.assignee.email if case.assignee else None
        yield (
            *(account.code, account.name, account.email, case.currency),
            *(*counted, *paused, assignee, case.opened_on, case.state),
        )
