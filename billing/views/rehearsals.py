"""Rehearsals: what a price would have done to the last months' bills, before anybody schedules it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import django_tables2 as tables
from django.db.models import F, QuerySet, Sum
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from accounts.permissions import has
from billing import rehearsing
from billing.forms.prices import RehearsalForm
from billing.models import Rehearsal, RehearsedBill
from billing.tables.columns import account_address
from core import formatting
from core.downloads import Cell, amount, csv_download
from core.errors import NotFound, VaultError
from core.forms import blame
from core.models import WorkState
from core.tables import AmountColumn, MomentColumn, StatusColumn, VaultTable, badge

COLUMNS: Final = ("account", "currency", "before", "after", "change")
UNFINISHED: Final = (WorkState.READY, WorkState.LEASED)


class RehearsalTable(VaultTable):
    noun = "rehearsal"
    empty = "No price was rehearsed yet. A rehearsal changes nothing."
    product = tables.Column(linkify=lambda record: f"/rehearsals/{record.pk}/")
    currency = tables.Column()
    state = StatusColumn()
    created_at = MomentColumn(verbose_name="Begun")
    created_by = tables.Column(verbose_name="By")

    def render_state(self, record: Rehearsal) -> Any:
        return badge(_word(record))

    def render_created_by(self, value: str) -> str:
        return value.removeprefix("user:")


class BillTable(VaultTable):
    """Accounts whose bills change, most money first."""

    noun = "account"
    empty = "Nobody's bill would have changed."
    account__name = tables.Column(
        verbose_name="Account", linkify=lambda record: account_address(record["account__code"])
    )
    was = AmountColumn(verbose_name="As it is", currency="currency")
    would = AmountColumn(verbose_name="Rehearsed", currency="currency")
    change = AmountColumn(verbose_name="Change", currency="currency")


@require_safe
@staff("prices.view")
def rehearsals(request: StaffRequest) -> HttpResponse:
    """All rehearsals, newest first."""
    table = RehearsalTable(Rehearsal.objects.select_related("product"), order_by="-created_at")
    RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    context = {"table": table, "may_edit": has(request.user, "prices.edit")}
    return render(request, "billing/rehearsals.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff("prices.edit")
def new(request: StaffRequest) -> HttpResponse:
    """A form for a price to try; ``?product=`` names what it is for."""
    form = RehearsalForm(request.POST or None, initial={"product": request.GET.get("product", ""), "currency": "USD"})
    if request.method == "POST" and form.is_valid():
        try:
            begun = rehearsing.begin(actor=request.user.actor, **form.values())
        except VaultError as error:
            blame(form, error)
        else:
            return redirect("rehearsal", begun.pk)
    return render(request, "billing/rehearsal_new.html", {"form": form})


@require_safe
@staff("prices.view")
def rehearsal(request: StaffRequest, key: int) -> HttpResponse:
    """One rehearsal: how far it is, what it means for revenue, and whom it hits."""
    found = _find(key)
    table = BillTable(_bills(found), order_by="-change")
    RequestConfig(request, paginate={"per_page": 50, "silent": True}).configure(table)
    summed = rehearsing.summary(found)
    context = {
        "rehearsal": found,
        "word": _word(found),
        "working": found.state in UNFINISHED,
        "summary": summed,
        "difference": summed.after - summed.before,
        "months": " to ".join({formatting.month(found.months[0]): 0, formatting.month(found.months[-1]): 0}),
        "by_month": _by_month(found),
        "table": table,
        "may_export": has(request.user, "exports.download"),
    }
    return render(request, "billing/rehearsal.html", context)


@require_safe
@staff("exports.download")
def export(request: StaffRequest, key: int) -> StreamingHttpResponse:
    """Every account that uses the product, as CSV."""
    return csv_download(f"rehearsal-{key}", COLUMNS, _rows(_find(key)))


def _find(key: int) -> Rehearsal:
    found = Rehearsal.objects.select_related("product").filter(pk=key).first()
    if found is None:
        raise NotFound("There is no such rehearsal.")
    return found


def _word(found: Rehearsal) -> str:
    return {WorkState.DONE: "done", WorkState.DEAD: "failed"}.get(WorkState(found.state), "running")


def _bills(found: Rehearsal) -> QuerySet[RehearsedBill, Any]:
    bills = found.bills.values("account__name", "account__code").annotate(
        was=Sum("before"), would=Sum("after"), currency=F("rehearsal__currency")
    )
    return bills.annotate(change=F("would") - F("was")).exclude(change=0)


def _by_month(found: Rehearsal) -> Sequence[dict[str, Any]]:
    sums = found.bills.order_by("month").values("month").annotate(was=Sum("before"), would=Sum("after"))
    return [row | {"change": row["would"] - row["was"]} for row in sums]


def _rows(found: Rehearsal) -> Iterator[Sequence[Cell]]:
    sums = found.bills.values("account__code").annotate(was=Sum("before"), would=Sum("after")).order_by("account__code")
    for row in sums.iterator():
        was, would = row["was"], row["would"]
        values = (amount(value, found.currency) for value in (was, would, would - was))
        yield (row["account__code"], found.currency, *values)
