"""The door at which gateways tell us what happened; what opens it is their signature."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from collections_ import receiving
from core.errors import Invalid, VaultError

LARGEST = 256 * 1024  # bytes; an event is a hint, not a document


@csrf_exempt
@require_POST
def receive(request: HttpRequest, gateway: str) -> HttpResponse:
    """Store one event; 200 once it is on disk, so that the gateway stops repeating it."""
    try:
        if len(request.body) > LARGEST:
            raise Invalid(f"An event has at most {LARGEST} bytes", field="body")
        receiving.receive(gateway, request.body, request.headers)
    except VaultError as error:
        return HttpResponse(f"{error}\n", status=error.status, content_type="text/plain; charset=utf-8")
    return HttpResponse("stored\n", content_type="text/plain; charset=utf-8")
