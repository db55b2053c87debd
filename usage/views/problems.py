"""What stands between usage and a bill for it, in five lists, and what a person can do about many of each at once."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from django import forms
from django.db.models import Count, Min
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from core import clock
from core.periods import Month, Span
from core.tables import VaultTable
from usage import completeness, doubts, remedies
from usage.doubts import Doubt
from usage.forms import DecideForm, DoubtFilter, LongFilter, QuarantineFilter
from usage.models import QuarantinedEvent, QuarantineState
from usage.tables import DoubtTable, LongTable, QuarantineTable, UnownedTable

EDIT: Final = "usage.edit"
Group = tuple[str, str, int, str]  # code, words, how many, since when


class Part(NamedTuple):
    """One list: its table, its filter, what its rows are grouped by, and how many of them one may choose at once."""

    table: VaultTable
    form: forms.Form | None = None
    groups: Sequence[Group] = ()
    group_by: str = ""
    remedies: Sequence[tuple[str, str]] = ()
    many: int = 0


@require_safe
@staff("sources.view")
def problems(request: StaffRequest) -> HttpResponse:
    """One list at a time; the others show how many they hold."""
    chosen = request.GET.get("tab", "quarantine")
    chosen = chosen if chosen in PARTS else "quarantine"
    part = PARTS[chosen](request)
    may_edit = has(request.user, EDIT)
    if not may_edit and "chosen" in part.table.columns.names():
        part.table.columns.hide("chosen")
    RequestConfig(request, paginate={"per_page": 50}).configure(part.table)
    context = {
        "part": part, "table": part.table, "form": part.form, "tabs": _tabs(chosen), "about": ABOUT[chosen],
        "reset": f"?tab={chosen}", "tab": chosen, "decide": DecideForm(), "may_edit": may_edit,
    }  # fmt: skip
    return render(request, "usage/problems.html", context)


def _quarantine(request: StaffRequest) -> Part:
    form = QuarantineFilter({"state": QuarantineState.WAITING, **request.GET.dict()})
    found = QuarantinedEvent.objects.select_related("source")
    if form.is_valid():
        asked = {"code": "code", "source": "source__name", "state": "state"}
        found = found.filter(
            **{path: form.cleaned_data[name] for name, path in asked.items() if form.cleaned_data[name]}
        )
    waiting = QuarantinedEvent.objects.filter(state=QuarantineState.WAITING)
    counted = waiting.values_list("code").annotate(count=Count("pk"), oldest=Min("received_at")).order_by("-count")
    groups = [(code, code, count, oldest) for code, count, oldest in counted]
    return Part(QuarantineTable(found, order_by="-received_at"), form, groups, "code", (), found.count())


def _pairing(request: StaffRequest) -> Part:
    form = DoubtFilter(request.GET)
    found, all_of_them = _doubts("pairing", form)
    table = DoubtTable(found, order_by="-at")
    return Part(table, form, _causes(all_of_them), "cause", _remedies(found), len(found))


def _open(request: StaffRequest) -> Part:
    return _long(request, "open")


def _ran(request: StaffRequest) -> Part:
    return _long(request, "long")


def _long(request: StaffRequest, name: str) -> Part:
    form = LongFilter(request.GET)
    found, all_of_them = _doubts(name, form)
    table = LongTable(found, order_by="at", now=clock.now())
    if name == "open":
        table.columns.hide("until")
    return Part(table, form, _causes(all_of_them), "cause", _remedies(found), len(found))


def _doubts(name: str, form: forms.Form) -> tuple[list[Doubt], list[Doubt]]:
    """Return what the filter lets through, and all before the filter of causes."""
    given = form.cleaned_data if form.is_valid() else {}
    found = doubts.listed(name, clock.now(), kind=given.get("kind", ""), resource=given.get("resource", ""))
    return [doubt for doubt in found if given.get("cause", "") in ("", doubt.cause.code)], found


def _causes(found: Sequence[Doubt]) -> list[Group]:
    oldest = {doubt.cause.code: doubt for doubt in sorted(found, key=lambda doubt: doubt.at, reverse=True)}
    return [(code, title, count, oldest[code].at) for code, title, count in doubts.by_cause(found)]  # type: ignore[misc]


def _remedies(found: Sequence[Doubt]) -> list[tuple[str, str]]:
    kinds = {doubt.kind for doubt in found}
    return [(name, words) for name, (words, fits) in remedies.REMEDIES.items() if kinds.intersection(fits)]


def _unowned(request: StaffRequest) -> Part:
    """The running month and the one before, as known now."""
    now = clock.now()
    span = Span(Month.containing(now).previous.start, now)
    return Part(UnownedTable(completeness.unowned(span, cutoff=now), order_by="-seconds"))


PARTS: Final[dict[str, Callable[[StaffRequest], Part]]] = {
    "quarantine": _quarantine,
    "pairing": _pairing,
    "open": _open,
    "long": _ran,
    "unowned": _unowned,
}
ABOUT: Final = {
    "quarantine": "Events that were refused, with what is wrong. Mend them and send them in again, or discard them.",
    "pairing": "Opens and closes that make no interval. Each goes by itself when the event that explains it arrives.",
    "unowned": "What was used in this month and the last while nobody owned it. Until somebody does, nobody is billed.",
    "open": "What has been running for very long. Most of it is right; a close that was lost is among it.",
    "long": "What ran for very long before it closed. An earlier close, and the open after it, may have been lost.",
}


def _tabs(chosen: str) -> list[dict[str, Any]]:
    now = clock.now()
    counts = {
        "quarantine": QuarantinedEvent.objects.filter(state=QuarantineState.WAITING).count(),
        "pairing": doubts.count("pairing", now),
        "unowned": None,  # counting it means looking for it
        "open": doubts.count("open", now),
        "long": doubts.count("long", now),
    }
    labels = {
        "quarantine": "Quarantine", "pairing": "Pairing", "unowned": "Unowned usage", "open": "Open for long",
        "long": "Ran for long",
    }  # fmt: skip
    return [
        {"label": labels[tab], "href": f"/usage/problems/?tab={tab}", "current": tab == chosen, "count": counts[tab]}
        for tab in PARTS
    ]
