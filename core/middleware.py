"""Every request has an identifier, and no answer to a signed-in person is kept by a cache."""

import re
import uuid
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from core.audit import REQUEST_ID

Next = Callable[[HttpRequest], HttpResponse]
_ACCEPTABLE = re.compile(r"^[A-Za-z0-9._-]{8,80}$")


class RequestIdMiddleware:
    """Take X-Request-Id when it is well formed, else make one; answer with it and sign the audit with it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        identifier = given if _ACCEPTABLE.match(given) else uuid.uuid4().hex
        token = REQUEST_ID.set(identifier)
        try:
            response = self.get_response(request)
        finally:
            REQUEST_ID.reset(token)
        response["X-Request-Id"] = identifier
        return response


class NoNulMiddleware:
    """Refuse an address with a NUL in it: no text of the database can hold one, so nothing can be meant by it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("An address cannot hold a NUL character.")
        return self.get_response(request)


class PrivateCacheMiddleware:
    """Mark answers to signed-in people and to API keys as not to be stored anywhere."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/static/") and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private"
        return response
