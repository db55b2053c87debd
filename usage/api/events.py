"""POST takes events in, without the framework between the socket and the store; GET reads them back."""

from typing import Any

import msgspec
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import problem
from core.errors import VaultError
from usage import exploring, intake, reading, sources
from usage.api import body
from usage.api.event_paging import EventPagination
from usage.authentication import REFUSED, SourceAuthentication, secret_of
from usage.intake import Answer
from usage.models import Event, Source, SourceState
from usage.reported import Batch


class Unauthorized(VaultError):
    """No living secret of a source."""

    code = "not_authenticated"
    status = 401


class SourcePaused(VaultError):
    """The source may not report at present."""

    code = "source_paused"
    status = 403


class EventSerializer(serializers.ModelSerializer[Event]):
    id = serializers.CharField(source="event_id")
    source = serializers.CharField(source="source.name")  # type: ignore[assignment]  # the metaclass takes it away
    quantity = serializers.DecimalField(max_digits=38, decimal_places=12, normalize_output=True, allow_null=True)

    class Meta:
        model = Event
        fields = [
            "id",
            "source",
            "type",
            "time",
            "resource",
            "product",
            "app",
            "account",
            "meter",
            "component",
            "quantity",
            "received_at",
        ]


class RefusedSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    id = serializers.CharField()
    code = serializers.CharField()
    field = serializers.CharField()
    detail = serializers.CharField()


class AnswerSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = serializers.IntegerField()
    errors = RefusedSerializer(many=True)  # type: ignore[assignment]  # the metaclass takes it away


class Events(ListAPIView[Event]):
    """Events as they were accepted, newest first; and the door by which sources report them."""

    serializer_class = EventSerializer
    pagination_class = EventPagination  # finds the events, by the request's filters
    queryset = Event.objects.none()
    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "usage.view"}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return receive(request) if request.method == "POST" else super().dispatch(request, *args, **kwargs)

    @extend_schema(parameters=[OpenApiParameter(name, str) for name in exploring.FILTERS])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request={
            "application/json": OpenApiTypes.OBJECT,
            "application/x-ndjson": OpenApiTypes.STR,
            "application/cloudevents-batch+json": OpenApiTypes.OBJECT,
        },
        responses={200: AnswerSerializer, 207: AnswerSerializer},
        parameters=[OpenApiParameter("atomic", bool, description="all or nothing")],
        auth=[{"SourceSecret": []}],  # type: ignore[list-item]  # a security requirement, whatever the stub says
    )
    def post(self, request: Request) -> Response:
        """Report events: up to 10,000 or 8 MiB, as a JSON array, NDJSON or CloudEvents, plain or gzip.

        An event opens or closes a resource (type open, close), says what was used (measured) or from when on a level
        holds (gauge). The answer comes after commit and says of each event that was not accepted why. 200: all are
        stored. 207: some were refused. 400: the body could not be read at all.
        """
        raise NotImplementedError  # dispatch answers; this describes


def receive(request: HttpRequest) -> HttpResponse:
    """Answer a source's report; whatever it sends, it gets a sentence and never a traceback."""
    try:
        source = _source(request)
        answer = intake.accept(source, _batch(request), atomic=request.GET.get("atomic", "") in ("true", "1"))
    except VaultError as error:
        return _problem(error.status, error.code, str(error))
    except (OperationalError, InterfaceError):
        return _problem(503, "try_again", "The events were not stored; send them again in a moment.")
    return HttpResponse(_json(answer), status=200 if answer.complete else 207, content_type="application/json")


def _source(request: HttpRequest) -> Source:
    source = sources.authenticate(secret_of(request.headers.get("Authorization", "")))
    if source is None:
        raise Unauthorized(REFUSED)
    if source.state == SourceState.PAUSED:
        raise SourcePaused(f"Source {source.name} is paused; keep its events and send them when it is resumed.")
    return source


def _batch(request: HttpRequest) -> Batch:
    content = body.read(request)
    if any(name.startswith("HTTP_CE_") for name in request.META):
        attributes = {name.lower(): value for name, value in request.headers.items()}
        return reading.read_binary({n: v for n, v in attributes.items() if n.startswith("ce-")}, content)
    return reading.read(content, lines=body.is_lines(request))


def _json(answer: Answer) -> bytes:
    errors = [
        {"index": r.index, "id": r.id, "code": r.code, "field": r.field, "detail": r.detail} for r in answer.refused
    ]
    counts = {name: getattr(answer, name) for name in ("accepted", "duplicate", "conflict", "rejected")}
    return msgspec.json.encode(counts | {"errors": errors})


def _problem(status: int, code: str, detail: str) -> HttpResponse:
    answer = problem(status, code, detail)
    plain = HttpResponse(msgspec.json.encode(answer.data), status=status, content_type=answer.content_type)
    if status == 503:
        plain["Retry-After"] = "2"
    if status == 401:
        plain["WWW-Authenticate"] = SourceAuthentication().authenticate_header(Request(HttpRequest()))
    return plain
