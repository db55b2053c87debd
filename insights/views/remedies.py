"""Remedy many doubtful opens, closes and intervals at once: what it does and what it moves first, then as one batch."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.gates import StaffRequest, staff
from core import clock, databases
from core.errors import Invalid, VaultError
from core.forms import blame
from insights import moving
from insights.forms import RecordForm, RemedyForm
from insights.moving import ChangedMeanwhile
from usage import doubts, remedies
from usage.amending import MOST, Amending
from usage.doubts import Doubt
from usage.forms import DoubtFilter
from usage.remedies import Plan

LISTS: Final = ("pairing", "open", "long")
SHOWN: Final = 50


@require_POST
@staff("usage.edit")
def remedy(request: StaffRequest) -> HttpResponse:
    """Show what a remedy of the chosen would do and move; record it when it was shown and a reason is given."""
    tab = request.POST.get("tab", "")
    back = f"/usage/problems/?tab={tab if tab in LISTS else LISTS[0]}"
    asked = RemedyForm(request.POST)
    found = _chosen(request, tab)
    if not found or not asked.is_valid():
        messages.error(request, _why_not(found, asked))
        return redirect(back)
    try:
        plan = remedies.plan(found, asked.cleaned_data["remedy"], at=asked.cleaned_data["at"], now=_now())
        if not plan.remedied:
            raise Invalid(f"Nothing chosen can be remedied so. {plan.skipped[0][1]}")
        return _decide(request, asked, plan, back)
    except VaultError as error:
        messages.error(request, str(error))
        return redirect(back)


def _decide(request: StaffRequest, asked: RemedyForm, plan: Plan, back: str) -> HttpResponse:
    record = "record" in request.POST
    form = RecordForm(request.POST if record else None)
    corrections = plan.corrections()
    if record and form.is_valid():
        change = Amending(corrections, form.cleaned_data["reason"])
        try:
            made, _ = moving.carry_out(change, actor=request.user.actor, token=form.cleaned_data["token"])
        except ChangedMeanwhile as error:
            blame(form, error)
        else:
            messages.success(
                request, f"{len(plan.remedied)} remedied by {len(made.amendments)} amendments of one batch."
            )
            return redirect("usage_amendment", made.amendments[0])
    context: dict[str, Any] = {
        "asked": asked,
        "words": remedies.REMEDIES[asked.cleaned_data["remedy"]][0],
        "plan": plan,
        "chosen": len(plan.remedied) + len(plan.skipped),
        "remedied": plan.remedied[:SHOWN],
        "skipped": plan.skipped[:SHOWN],
        "corrections": len(corrections),
        "moved": moving.preview(Amending(corrections, "preview"), actor=request.user.actor),
        "form": form,
        "back": back,
        "tab": request.POST.get("tab", ""),
    }
    return render(request, "usage/remedy.html", context)


def _chosen(request: HttpRequest, tab: str) -> list[Doubt]:
    """Return what was ticked, or with ``all`` what the list's filter lets through, as far as it is still in doubt."""
    if "all" not in request.POST:
        return doubts.chosen(request.POST.getlist("key")[: 2 * MOST], clock.now())
    form = DoubtFilter(request.POST)
    if tab not in LISTS or not form.is_valid():
        return []
    given = {name: form.cleaned_data[name] for name in ("kind", "resource", "cause")}
    return doubts.listed(tab, clock.now(), **given)[:MOST]


def _why_not(found: list[Doubt], asked: RemedyForm) -> str:
    if not found:
        return "Choose at least one that is still in doubt."
    return " ".join(str(error) for errors in asked.errors.values() for error in errors)


def _now() -> Any:
    return clock.database_now(databases.usage())
