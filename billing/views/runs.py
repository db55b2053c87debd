"""Runs: every month's build in one list, and opening the next one with what it will meet."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing import readiness, running
from billing.forms.runs import OpenRunForm, RunFilter
from billing.models import Run
from billing.tables.runs import RunTable
from core import clock
from core.errors import VaultError
from core.forms import blame
from core.periods import Month

A_YEAR = 12  # rows on a page: one for each month


@require_safe
@staff("runs.view")
def runs(request: StaffRequest) -> HttpResponse:
    """All runs, newest first."""
    form = RunFilter(request.GET)
    table = RunTable(_matching(form), order_by="-opened_at")
    RequestConfig(request, paginate={"per_page": A_YEAR}).configure(table)
    context = {
        "table": table,
        "form": form,
        "any": Run.objects.exists(),
        "may_open": has(request.user, "runs.open"),
    }
    return render(request, "billing/runs.html", context)


def _matching(form: RunFilter) -> QuerySet[Run]:
    form.is_valid()
    chosen, found = form.cleaned_data, Run.objects.all()
    if chosen.get("month"):
        found = found.filter(month=chosen["month"].first_day)
    if chosen.get("kind"):
        found = found.filter(shadow=chosen["kind"] == "shadow")
    if chosen.get("state"):
        found = found.filter(state=chosen["state"])
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@staff("runs.open")
def open_run(request: StaffRequest) -> HttpResponse:
    """A form for a month; the same page says beforehand what its run will meet."""
    last = Month.containing(clock.today()).previous
    form = OpenRunForm(request.POST or {"month": str(last), **request.GET.dict()})
    valid = form.is_valid()
    if request.method == "POST" and valid:
        try:
            run = running.open_run(**form.cleaned_data, actor=request.user.actor)
        except VaultError as error:
            blame(form, error)
        else:
            messages.success(request, f"{run} is open: its invoices are being drafted. Nothing is sent to anybody yet.")
            return redirect("run", run.pk)
    return render(request, "billing/run_open.html", {"form": form} | _preview(form, valid))


def _preview(form: OpenRunForm, valid: bool) -> dict[str, Any]:
    if not valid:
        return {}
    chosen = form.cleaned_data
    return {"ready": readiness.of(chosen["month"], shadow=chosen["shadow"]), "shadow": chosen["shadow"]}
