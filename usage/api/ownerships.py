"""Who owns a resource or an app, stated by the platform; and the hand-over of either as one call."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from core.api import IdempotentWrites
from core.fields import Fields, moment
from usage import ownerships
from usage.authentication import REPORTERS, MayReport
from usage.ownerships import Statement


class OwnershipSerializer(serializers.Serializer[Any]):
    account = serializers.CharField()
    resource = serializers.CharField(required=False)
    app = serializers.CharField(required=False)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(required=False, allow_null=True)


class TransferSerializer(serializers.Serializer[Any]):
    app = serializers.CharField(required=False)
    resource = serializers.CharField(required=False)
    to = serializers.CharField()
    at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"from": serializers.CharField()}


class OwnershipDetail(IdempotentWrites, APIView):
    """One ownership, named by its caller."""

    authentication_classes = REPORTERS
    permission_classes = [MayReport]
    scopes = {"PUT": "usage:write"}
    capabilities = {"PUT": "usage.edit"}

    @extend_schema(request=OwnershipSerializer, responses={200: OwnershipSerializer, 201: OwnershipSerializer})
    def put(self, request: Request, reference: str) -> Response:
        """State that an account owns a resource, or a whole app, from start on, or until end.

        201 when it is new, 200 when the same was said before; 409 when the id was used for something else, or when
        somebody owns it at that time.
        """
        said = _statement(reference, request.data)
        new = ownerships.state(said, by=principal(request).actor)
        answer = {
            "id": said.reference,
            "account": said.account,
            "resource": said.resource,
            "app": said.app,
            "start": _written(said.start),
            "end": _written(said.end) if said.end else None,
        }
        return Response(answer, status=201 if new else 200)


class Transfers(IdempotentWrites, APIView):
    """The hand-over of an app or a resource."""

    authentication_classes = REPORTERS
    permission_classes = [MayReport]
    scopes = {"POST": "usage:write"}
    capabilities = {"POST": "usage.edit"}

    @extend_schema(request=TransferSerializer, responses={200: Any})
    def post(self, request: Request) -> Response:
        """Hand an app or a resource over at a moment; each owner is billed to the second. Safe to repeat."""
        given = Fields(request.data)
        terms = {
            "app": _optional(given, "app"),
            "resource": _optional(given, "resource"),
            "giver": given.text("from"),
            "taker": given.text("to"),
            "at": moment(given.take("at"), "at"),
        }
        given.done("a transfer")
        reference, moved = ownerships.transfer(**terms, by=principal(request).actor)  # type: ignore[arg-type]
        return Response({"id": reference, "resources": moved})


def _statement(reference: str, data: object) -> Statement:
    given = Fields(data)
    account, start = given.text("account"), moment(given.take("start"), "start")
    end = given.take("end") if given.has("end") else None
    said = Statement(
        reference,
        account,
        _optional(given, "resource"),
        _optional(given, "app"),
        start,
        moment(end, "end") if end is not None else None,
    )
    given.done("an ownership")
    return said


def _optional(given: Fields, name: str) -> str:
    return given.text(name) if given.has(name) else ""


def _written(at: datetime) -> str:
    """Write a moment with every digit it has."""
    return at.isoformat().replace("+00:00", "Z")
