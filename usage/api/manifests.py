"""What a source states about its hours: taken in at once, superseded by a later word, readable for ever."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.fields import moment
from core.formatting import iso
from core.money import plain
from usage import agreement, hour_totals, manifests, reconciling, watermark
from usage.api import body
from usage.authentication import REPORTERS, MayReport, Reporter
from usage.models import Manifest, Source
from usage.models.source import MANIFESTS


class ManifestSerializer(serializers.ModelSerializer[Manifest]):
    source = serializers.CharField(source="source.name")  # type: ignore[assignment]  # the metaclass takes it away
    meters = serializers.SerializerMethodField()

    class Meta:
        model = Manifest
        fields = ["source", "hour", "events", "hash", "meters", "received_at", "superseded_at"]

    def get_meters(self, manifest: Manifest) -> dict[str, Any]:
        found = manifests.said(manifest).meters
        return {meter: sums._asdict() | {"quantity": plain(sums.quantity)} for meter, sums in found.items()}


class Manifests(ListAPIView[Manifest]):
    """The manifests of a source: those it believes, and those it took back."""

    authentication_classes = REPORTERS
    permission_classes = [MayReport]
    serializer_class = ManifestSerializer
    reports = MANIFESTS
    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "sources.view"}

    def get_queryset(self) -> QuerySet[Manifest]:
        asked = self.request.query_params
        who = self.request.user
        own = who.source if isinstance(who, Reporter) else None
        hour = moment(asked["hour"], "hour") if asked.get("hour") else None
        return manifests.history(own.name if own else asked.get("source", ""), hour).select_related("source")

    @extend_schema(parameters=[OpenApiParameter("source", str), OpenApiParameter("hour", OpenApiTypes.DATETIME)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(request=OpenApiTypes.OBJECT, responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """State what this source sent for one hour; a later statement about it supersedes this one.

        201 when it is new or supersedes, 200 when the same was stated before. The answer says what was received.
        """
        source = cast(Source, request.auth)
        statement = manifests.read(body.read(request._request))
        outcome = manifests.state(source, statement)
        return Response(_answer(source, statement, outcome), status=200 if outcome == manifests.REPEATED else 201)


def _answer(source: Source, statement: agreement.Statement, outcome: str) -> dict[str, Any]:
    span = reconciling.hours(statement.hour, statement.hour + manifests.HOUR)
    received = hour_totals.received(span, [source.pk])
    digest = agreement.written(sum(one.hash for one in received))
    agrees = digest == statement.hash and agreement.nonzero(statement.meters) == {o.meter: o.sums for o in received}
    mark = watermark.of(source, now=clock.now())
    return {
        "source": source.name,
        "hour": iso(statement.hour),
        "outcome": outcome,
        "agrees": agrees,
        "received": {"events": sum(one.sums.events for one in received), "hash": digest},
        "watermark": iso(mark.until) if mark.until else None,
    }
