"""What is said when an address leads nowhere or something breaks: a page to people, a problem to programs."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from core.api.problems import CONTENT_TYPE, problem_body


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that could not be read."""
    return _problem(request, 400, "bad_request", "The request could not be read.") or defaults.bad_request(
        request, exception
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere, or to what is not theirs."""
    said = "There is nothing at this address; /api/v1/schema/ lists what there is."
    return _problem(request, 404, "not_found", said) or defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours. Whatever the request began is rolled back."""
    said = "Something broke on our side. Repeat the request with the same Idempotency-Key; tell us the request_id."
    return _problem(request, 500, "internal", said) or defaults.server_error(request)


def _problem(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse | None:
    """Answer a program; None for a person."""
    if not request.path.startswith("/api/"):
        return None
    return JsonResponse(problem_body(status, code, detail), status=status, content_type=CONTENT_TYPE)
