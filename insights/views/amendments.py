"""Corrections of usage as a list and one by one: what gave way, what stands instead, the money moved, the way back."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing.models import InvoiceLine, LineKind
from core.downloads import csv_download
from core.errors import VaultError
from core.fields import storable
from core.forms import blame
from insights import moving
from insights.forms import AmendmentFilter, RecordForm
from insights.moving import ChangedMeanwhile, Movement
from insights.tables import AmendmentTable
from usage import amended, amending
from usage.amending import Reverting
from usage.models import Amendment

EDIT: Final = "usage.edit"
HEADER: Final = (
    "amendment", "resource", "meter", "from", "up to", "reason", "recorded at", "recorded by", "reverted at",
    "reverted by", "why reverted", "batch",
)  # fmt: skip


@require_safe
@staff("usage.view")
def amendments(request: StaffRequest) -> HttpResponse:
    """Every correction, newest first."""
    form = AmendmentFilter(request.GET)
    table = AmendmentTable(_matching(form), order_by="-recorded_at")
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    may = {"may_edit": has(request.user, EDIT), "may_export": has(request.user, "exports.download")}
    return render(request, "usage/amendments.html", {"form": form, "table": table} | may)


@require_safe
@staff("exports.download")
def export(request: StaffRequest) -> StreamingHttpResponse:
    """The same corrections, all of them, as CSV."""
    return csv_download("amendments", HEADER, _rows(_matching(AmendmentFilter(request.GET)).order_by("-recorded_at")))


def _rows(found: QuerySet[Amendment]) -> Iterator[tuple[Any, ...]]:
    for one in found.iterator(chunk_size=2000):
        yield (
            one.pk, one.resource, one.meter, one.start, one.end, one.reason, one.recorded_at, one.recorded_by,
            one.reverted_at, one.reverted_by, one.revert_reason, str(one.batch),
        )  # fmt: skip


def _matching(form: AmendmentFilter) -> QuerySet[Amendment]:
    found = Amendment.objects.all()
    form.is_valid()
    given = form.cleaned_data
    if (resource := given.get("resource")) and storable(resource):
        found = found.filter(resource=resource)
    if (by := given.get("by")) and storable(by):
        found = found.filter(recorded_by__icontains=by)
    if given.get("state"):
        found = found.filter(reverted_at__isnull=given["state"] == "standing")
    if given.get("since"):
        found = found.filter(recorded_at__gte=datetime.combine(given["since"], time(), UTC))
    if given.get("until"):
        found = found.filter(recorded_at__lt=datetime.combine(given["until"], time(), UTC) + timedelta(days=1))
    return found


@require_safe
@staff("usage.view")
def amendment(request: StaffRequest, key: int) -> HttpResponse:
    """One correction: what was told before beside what is told instead, and the money that it moved."""
    one = amending.find(key)
    known = amended.told(one.resource, one.start, one.end, meter=one.meter)
    movements = moving.moved_by(one)
    context = {
        "one": one,
        "gave_way": [event for event in known if event.received_at < one.recorded_at],
        "instead": [event for event in known if event.amendment == one.pk],
        "since": [event for event in known if event.received_at >= one.recorded_at and event.amendment != one.pk],
        "movements": movements,
        "lines": billed_lines(one, movements),
        "covering": amended.covering(one),
        "batch": Amendment.objects.filter(batch=one.batch).exclude(pk=one.pk).order_by("pk")[:100],
        "may_edit": has(request.user, EDIT),
    }
    return render(request, "usage/amendment.html", context)


def billed_lines(one: Amendment, movements: list[Movement]) -> list[InvoiceLine]:
    """Return the adjustments, drafted or issued, that name an amendment as their cause."""
    accounts = {moved.account for moved in movements}
    found = InvoiceLine.objects.filter(
        kind=LineKind.ADJUSTMENT, invoice__account__code__in=accounts, invoice__shadow=False,
        reason__contains=f"Amendment {one.pk}",
    )  # fmt: skip
    found = found.select_related("invoice__account", "adjusts").order_by("invoice_id", "position")
    return [line for line in found if one.pk in amended.named(line.reason)]


@require_http_methods(["GET", "HEAD", "POST"])
@staff(EDIT)
def revert(request: StaffRequest, key: int) -> HttpResponse:
    """Take one correction back, or with ``?batch=1`` all that were made with it: shown first, then done as shown."""
    one = amending.find(key)
    whole = request.GET.get("batch") == "1"
    taken = amended.standing_with(one) if whole else [one.pk]
    form = RecordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            change = Reverting(taken, form.cleaned_data["reason"])
            moving.carry_out(change, actor=request.user.actor, token=form.cleaned_data["token"])
        except ChangedMeanwhile as error:
            blame(form, error)
        except VaultError as error:
            blame(form, error)
            return _revert_page(request, one, taken, form, None)
        else:
            messages.success(request, f"{len(taken)} amendment{'s' if len(taken) != 1 else ''} taken back.")
            return redirect("usage_amendment", one.pk)
    try:
        moved = moving.preview(Reverting(taken, "preview"), actor=request.user.actor)
    except VaultError as error:
        messages.error(request, str(error))
        return redirect("usage_amendment", one.pk)
    return _revert_page(request, one, taken, form, moved)


def _revert_page(
    request: StaffRequest, one: Amendment, taken: list[int], form: RecordForm, moved: moving.Moved | None
) -> HttpResponse:
    context = {"one": one, "taken": taken, "form": form, "moved": moved, "covering": amended.covering(one)}
    return render(request, "usage/amendment_revert.html", context)
