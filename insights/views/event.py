"""One event's page: as its source said it, what it became, and the line of the invoice that billed it."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gates import StaffRequest, staff
from core.errors import NotFound
from insights import event_story


@require_safe
@staff("usage.view")
def event(request: StaffRequest, source: str, event_id: str) -> HttpResponse:
    """An event that was taken in, archived or not; a refused one is under Usage problems."""
    try:
        story = event_story.tell(source, event_id)
    except NotFound as error:
        raise Http404(str(error)) from error
    return render(request, "insights/event.html", {"story": story, "event": story.event})
