"""An expected mistake on a page becomes a sentence on a page, never a traceback."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from core.errors import VaultError

Next = Callable[[HttpRequest], HttpResponse]


class MistakeMiddleware:
    """Show a VaultError that a view did not handle: back on the page it came from, or as a page of its own."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for a view that raised; leave what nobody expected to become a 500."""
        if not isinstance(error, VaultError):
            return None
        came_from = _page_of(request)
        if request.method == "POST" and came_from:
            messages.error(request, str(error))
            return HttpResponseRedirect(came_from)
        return render(request, "mistake.html", {"sentence": str(error)}, status=error.status)


def _page_of(request: HttpRequest) -> str:
    """The page of ours whose form was sent, unless that is this very address, which may only take POSTs."""
    referrer = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure())
    return referrer if ours and referrer.partition("?")[0] != request.build_absolute_uri(request.path) else ""
