"""Writes that happen once per key: the answer is stored in the transaction that did the work.

Work that must commit by itself, because it takes locks that others wait for or keeps what it did although it then
refuses, reserves its key first, in a transaction of its own, and stores the answer after. Should it die in between,
a repeat hears "in progress" until the reservation ends, and then does the work again: such work is repeatable.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.errors import Conflict, Invalid, VaultError
from core.failpoints import failpoint
from core.models import IdempotencyKey

HEADER = "Idempotency-Key"
UNDER_WAY = 0  # the status of a key whose work has not ended
RESERVED = timedelta(minutes=10)  # longer than any request may take
IN_FLIGHT = "The same request is being worked on; repeat it in a moment"


class KeyReused(VaultError):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    status = 422


class KeyInFlight(Conflict):
    """The same request is being worked on this moment."""

    code = "idempotency_key_in_flight"


def once(
    request: Request, work: Callable[[], Response], *, shown_once: Collection[str] = (), commits_itself: bool = False
) -> Response:
    """Run ``work`` unless this credential sent the same key and body before; then answer as it did then.

    The same key with another body is a 422, a repeat while the first is under way a 409. Without the header
    the work simply runs. An error stores nothing, so the request may be repeated once it is mended. Fields of the
    answer named in ``shown_once`` are not stored, so a repeat lacks them: nobody keeps a secret in a table.
    With ``commits_itself`` no transaction is open around the work, which has to be repeatable.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        return work()
    if len(key) > 200:
        raise Invalid("An Idempotency-Key has at most 200 characters", field=HEADER)
    credential, asked = str(request.user.actor), _request_hash(request)  # type: ignore[union-attr]
    if commits_itself:
        return _apart(credential, key, asked, work, shown_once)
    with transaction.atomic():
        _lock(credential, key)
        stored = IdempotencyKey.objects.filter(credential=credential, key=key).first()
        if stored is not None:
            return _replay(stored, asked)
        response = work()
        if response.status_code < 400:
            IdempotencyKey.objects.create(
                credential=credential,
                key=key,
                request_hash=asked,
                status=response.status_code,
                body=_kept(response, shown_once),
            )
    return response


def _apart(
    credential: str, key: str, asked: str, work: Callable[[], Response], shown_once: Collection[str]
) -> Response:
    """Reserve the key and commit, work, then store the answer; a failure lets the key go."""
    reserved = _reserve(credential, key, asked)
    if isinstance(reserved, Response):
        return reserved
    ours = IdempotencyKey.objects.filter(pk=reserved.pk, status=UNDER_WAY, created_at=reserved.created_at)
    try:
        response = work()
    except BaseException:
        ours.delete()
        raise
    failpoint("idempotency.before_answer")
    if response.status_code < 400:
        ours.update(status=response.status_code, body=_kept(response, shown_once))
    else:
        ours.delete()
    return response


def _reserve(credential: str, key: str, asked: str) -> IdempotencyKey | Response:
    """Return the reservation of a key that is free, or was left by work that died; else the answer it has."""
    with transaction.atomic():
        _lock(credential, key)
        stored = IdempotencyKey.objects.filter(credential=credential, key=key).first()
        now = clock.database_now()
        if stored is None:
            stored = IdempotencyKey(credential=credential, key=key, request_hash=asked, status=UNDER_WAY, body={})
        elif stored.status != UNDER_WAY or stored.request_hash != asked or stored.created_at > now - RESERVED:
            return _replay(stored, asked)
        stored.save()
        stored.created_at = now  # the fence: whoever takes it over moves it on
        stored.save(update_fields=["created_at"])
    return stored


def _kept(response: Response, shown_once: Collection[str]) -> Any:
    """Return the answer as it is sent, so that a repeat reads the same, without what is shown once."""
    body = json.loads(JSONRenderer().render(response.data))
    for name in shown_once:
        body.pop(name, None)
    return body


def _replay(stored: IdempotencyKey, asked: str) -> Response:
    if stored.request_hash != asked:
        raise KeyReused("This Idempotency-Key was used for another request; use a new key for a new request")
    if stored.status == UNDER_WAY:
        raise KeyInFlight(IN_FLIGHT)
    return Response(stored.body, status=stored.status, headers={"Idempotency-Replayed": "true"})


def _lock(credential: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 7))", [f"{credential} {key}"])
        if not cursor.fetchone()[0]:
            raise KeyInFlight(IN_FLIGHT)


def _request_hash(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, default=str)
    return hashlib.sha256(f"{request.method} {request.get_full_path()} {body}".encode()).hexdigest()


class IdempotentWrites:
    """Mix into an API view, before APIView: its unsafe methods honour ``Idempotency-Key``."""

    shown_once: Collection[str] = ()  # fields of the answer that are never stored
    commits_itself = False  # its work is repeatable, and no transaction may be open around it

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        for method in ("post", "put", "patch", "delete"):
            handler = getattr(type(self), method, None)
            if handler is not None:
                setattr(self, method, self._guard(handler))
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def _guard(self, handler: Callable[..., Response]) -> Callable[..., Response]:
        def guarded(request: Request, *args: Any, **kwargs: Any) -> Response:
            return once(
                request,
                lambda: handler(self, request, *args, **kwargs),
                shown_once=self.shown_once,
                commits_itself=self.commits_itself,
            )

        return guarded
