"""Every request has an identifier, and no answer to a signed-in person is kept by a cache."""

import re
import uuid
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.core.handlers.exception import response_for_exception
from django.db import DataError
from django.http import HttpRequest, HttpResponse

from core.audit import REQUEST_ID

Next = Callable[[HttpRequest], HttpResponse]
NO_NUL = "A NUL character means nothing here; leave it out."
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
    """Answer a NUL that nobody looked at by a 400: no text of the database can hold one, so nothing is meant by it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            raise BadRequest(NO_NUL)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Catch what the database's driver says of a NUL in a query, where no view has checked it by its field."""
        if isinstance(error, DataError | ValueError) and "NUL (0x00)" in str(error):
            return response_for_exception(request, BadRequest(NO_NUL))
        return None


class PrivateCacheMiddleware:
    """Mark answers to signed-in people and to API keys as not to be stored anywhere."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/static/") and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private"
        return response
