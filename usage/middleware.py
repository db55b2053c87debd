"""The short way in for what sources report: past sessions, forms and messages, which only people's pages need."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from usage.api.events import receive

EVENTS: Final = "/api/v1/usage/events"
Next = Callable[[HttpRequest], HttpResponse]


class IntakeMiddleware:
    """Answer a report of events at once; it stands behind what every request needs, and before the rest."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or request.path_info != EVENTS:
            return self.get_response(request)
        answer = receive(request)
        answer["Cache-Control"] = "no-store, private"
        return answer
