"""Where the five columns disagree, and why: hour by hour, and within one hour resource by resource."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from core import clock, databases, formatting
from core.downloads import csv_download
from core.errors import Invalid
from core.fields import moment
from core.forms import DayField
from core.periods import Span
from insights import reconciliation
from insights.five_columns import AGREES, BILLED, COLUMNS, DIFFERS, WAITS, Row
from insights.reconciliation import Reconciliation
from insights.tables import BehindTable, ReconciliationTable
from usage import manifests, reconciling, sources
from usage.manifests import HOUR
from usage.models import Source

STATES: Final = ((DIFFERS, "That differ"), (WAITS, "That wait"), (AGREES, "That agree"))
DAY: Final = timedelta(days=1)
HEADER: Final = (
    "hour", "source", "meter", "state",
    *(f"{name}_{what}" for name in COLUMNS for what in ("events", "quantity")), "codes", "why",
)  # fmt: skip


class ReconciliationFilter(forms.Form):
    """Which hours: the last 24 hours, or one day, or the days from one to another, the last one included."""

    source = forms.ChoiceField(required=False)
    day = DayField(help_text="The last 24 hours when empty.")
    until = DayField(label="To")
    meter = forms.CharField(required=False, max_length=100)
    state = forms.ChoiceField(choices=[("", "Every hour"), *STATES], required=False, label="Hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Source.objects.order_by("name").values_list("name", flat=True)
        self.fields["source"].choices = [("", "Every source"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def span(self, now: datetime) -> Span:
        """Return the whole hours that were asked for; raise Invalid for too many."""
        day = self.cleaned_data.get("day")
        if day is None:
            return reconciling.hours(now - DAY + HOUR, now)
        until = max(self.cleaned_data.get("until") or day, day)
        start = datetime.combine(day, time(), UTC)
        return reconciling.hours(start, start + (until - day) + DAY)

    def matches(self, row: Row) -> bool:
        """Say whether a row is of the state and the meter that were asked for."""
        state, meter = self.cleaned_data.get("state"), self.cleaned_data.get("meter")
        return (not state or row.state == state) and (not meter or row.meter == meter)


@require_safe
@staff("sources.view")
def hours(request: StaffRequest) -> HttpResponse:
    """Five columns per source, hour and meter."""
    form = ReconciliationFilter(request.GET)
    form.is_valid()
    refusal, now = "", clock.database_now(databases.usage())
    try:
        found = _found(form, now)
    except Invalid as error:  # too much at once: the page says so beside the filters that mend it
        refusal, found = str(error), Reconciliation(reconciling.hours(now - HOUR, now), [])
    table = ReconciliationTable([row for row in found.rows if form.matches(row)])
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    context = {
        "form": form,
        "refusal": refusal,
        "table": table,
        "found": found,
        "totals": list(found.totals.items()),
        "agreeing": found.count(AGREES),
        "differing": found.count(DIFFERS),
        "waiting": found.count(WAITS),
    }
    return render(request, "insights/reconciliation.html", context)


@require_safe
@staff("sources.view")
def export(request: StaffRequest) -> StreamingHttpResponse:
    """The same rows as CSV."""
    form = ReconciliationFilter(request.GET)
    form.is_valid()
    found = _found(form, clock.database_now(databases.usage()))
    name = f"reconciliation-{found.span.start:%Y-%m-%d}-{found.span.end:%Y-%m-%d}"
    return csv_download(name, HEADER, (_line(row) for row in found.rows if form.matches(row)))


@require_safe
@staff("sources.view")
def hour(request: StaffRequest) -> HttpResponse:
    """One hour of one source: its columns, what it stated, and what became of each resource's events."""
    asked = request.GET
    source, at, meter = sources.find(asked.get("source", "")), _hour(asked.get("hour", "")), asked.get("meter", "")
    now = clock.database_now(databases.usage())
    found = reconciliation.reconcile([source], Span(at, at + HOUR), now=now)
    everything = asked.get("all") == "on"
    explained = reconciliation.behind(source, at, meter)
    shown = [one for one in explained if everything or one.stop != BILLED]
    table = BehindTable(shown)
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    context = {
        "source": source,
        "hour": at,
        "title": formatting.moment(at),
        "until": at + HOUR,
        "meter": meter,
        "columns": ReconciliationTable([row for row in found.rows if not meter or row.meter == meter]),
        "statements": manifests.history(source.name, at).order_by("-id"),
        "table": table,
        "billed": len(explained) - len([one for one in explained if one.stop != BILLED]),
        "everything": everything,
        "cut": len(explained) == reconciliation.MOST_BEHIND,
    }
    return render(request, "insights/reconciliation_hour.html", context)


def _found(form: ReconciliationFilter, now: datetime) -> Reconciliation:
    chosen = reconciling.chosen(form.cleaned_data.get("source", ""))
    return reconciliation.reconcile(chosen, form.span(now), now=now)


def _hour(text: str) -> datetime:
    at = moment(text, "hour")
    if at != at.replace(minute=0, second=0, microsecond=0) or not 2000 <= at.year < 2190:
        raise Invalid("hour must be the start of a full hour, UTC.", field="hour")
    return at


def _line(row: Row) -> tuple[Any, ...]:
    columns = [(c.events, c.quantity) if c else (None, None) for c in row.columns().values()]
    codes, why = (" ".join(getattr(d, name) for d in row.differences) for name in ("kind", "sentence"))
    return (row.hour, row.source, row.meter, row.state, *(cell for column in columns for cell in column), codes, why)
