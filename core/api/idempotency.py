"""Writes that happen once per key: the answer is stored in the transaction that did the work."""

import hashlib
import json
from collections.abc import Callable, Collection
from typing import Any

from django.db import connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Conflict, Invalid, VaultError
from core.models import IdempotencyKey

HEADER = "Idempotency-Key"


class KeyReused(VaultError):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    status = 422


class KeyInFlight(Conflict):
    """The same request is being worked on this moment."""

    code = "idempotency_key_in_flight"


def once(request: Request, work: Callable[[], Response], *, shown_once: Collection[str] = ()) -> Response:
    """Run ``work`` unless this credential sent the same key and body before; then answer as it did then.

    The same key with another body is a 422, a repeat while the first is under way a 409. Without the header
    the work simply runs. An error stores nothing, so the request may be repeated once it is mended. Fields of the
    answer named in ``shown_once`` are not stored, so a repeat lacks them: nobody keeps a secret in a table.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        return work()
    if len(key) > 200:
        raise Invalid("An Idempotency-Key has at most 200 characters", field=HEADER)
    credential, asked = str(request.user.actor), _request_hash(request)  # type: ignore[union-attr]
    with transaction.atomic():
        _lock(credential, key)
        stored = IdempotencyKey.objects.filter(credential=credential, key=key).first()
        if stored is not None:
            return _replay(stored, asked)
        response = work()
        if response.status_code < 400:
            body = json.loads(JSONRenderer().render(response.data))  # as it is sent, so that a repeat reads the same
            for name in shown_once:
                body.pop(name, None)
            IdempotencyKey.objects.create(
                credential=credential, key=key, request_hash=asked, status=response.status_code, body=body
            )
    return response


def _replay(stored: IdempotencyKey, asked: str) -> Response:
    if stored.request_hash != asked:
        raise KeyReused("This Idempotency-Key was used for another request; use a new key for a new request")
    return Response(stored.body, status=stored.status, headers={"Idempotency-Replayed": "true"})


def _lock(credential: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 7))", [f"{credential} {key}"])
        if not cursor.fetchone()[0]:
            raise KeyInFlight("The same request is being worked on; repeat it in a moment")


def _request_hash(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, default=str)
    return hashlib.sha256(f"{request.method} {request.get_full_path()} {body}".encode()).hexdigest()


class IdempotentWrites:
    """Mix into an API view, before APIView: its unsafe methods honour ``Idempotency-Key``."""

    shown_once: Collection[str] = ()  # fields of the answer that are never stored

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        for method in ("post", "put", "patch", "delete"):
            handler = getattr(type(self), method, None)
            if handler is not None:
                setattr(self, method, self._guard(handler))
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def _guard(self, handler: Callable[..., Response]) -> Callable[..., Response]:
        def guarded(request: Request, *args: Any, **kwargs: Any) -> Response:
            return once(request, lambda: handler(self, request, *args, **kwargs), shown_once=self.shown_once)

        return guarded
