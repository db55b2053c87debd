"""Where the five columns disagree, and why."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from accounts.gates import StaffRequest, staff
from core import clock, databases
from core.periods import Span
from insights import reconciliation
from insights.five_columns import AGREES, DIFFERS, WAITS
from insights.tables import ReconciliationTable
from usage import reconciling
from usage.manifests import HOUR
from usage.models import Source

STATES: Final = ((DIFFERS, "That differ"), (WAITS, "That wait"), (AGREES, "That agree"))
DAY: Final = timedelta(days=1)


class ReconciliationFilter(forms.Form):
    """Which hours; one day, or the last 24 hours."""

    source = forms.ChoiceField(required=False)
    day = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="The last 24 hours when empty."
    )
    state = forms.ChoiceField(choices=[("", "Every hour"), *STATES], required=False, label="Hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Source.objects.order_by("name").values_list("name", flat=True)
        self.fields["source"].choices = [("", "Every source"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def span(self, now: datetime) -> Span:
        """Return the whole hours that were asked for."""
        day = self.cleaned_data.get("day")
        if day is None or not 2000 <= day.year < 2190:
            return reconciling.hours(now - DAY + HOUR, now)
        start = datetime.combine(day, time(), UTC)
        return Span(start, start + DAY)


@require_safe
@staff("sources.view")
def hours(request: StaffRequest) -> HttpResponse:
    """Five columns per source, hour and meter."""
    form = ReconciliationFilter(request.GET)
    form.is_valid()
    now = clock.database_now(databases.usage())
    chosen = reconciling.chosen(form.cleaned_data.get("source", ""))
    found = reconciliation.reconcile(chosen, form.span(now), now=now)
    state = form.cleaned_data.get("state")
    table = ReconciliationTable([row for row in found.rows if not state or row.state == state])
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    context = {
        "form": form,
        "table": table,
        "found": found,
        "totals": list(found.totals.items()),
        "agreeing": found.count(AGREES),
        "differing": found.count(DIFFERS),
        "waiting": found.count(WAITS),
    }
    return render(request, "insights/reconciliation.html", context)
