"""The events explorer: any event that was ever taken in, by what one knows of it."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from usage import exploring
from usage.forms import EventFilter

SHOWN = 50


@require_safe
@staff("usage.view")
def events(request: StaffRequest) -> HttpResponse:
    """Events, newest first; ``before`` goes on where the last page ended, as fast on the last page as on the first."""
    form = EventFilter(request.GET)
    rows, older = exploring.page(_asked(form), before=request.GET.get("before", ""), size=SHOWN)
    context = {"form": form, "events": rows, "older": older, "first": not request.GET.get("before")}
    return render(request, "usage/events.html", context)


def _asked(form: EventFilter) -> dict[str, str]:
    """Return the filters that were given, in the words of the explorer."""
    form.is_valid()
    given = form.cleaned_data
    asked = {name: given[name] for name in exploring.FILTERS if isinstance(given.get(name), str)}
    if given.get("since"):
        asked["from"] = f"{given['since']}T00:00:00Z"
    if given.get("until"):
        asked["to"] = f"{given['until'] + timedelta(days=1)}T00:00:00Z"
    return asked
