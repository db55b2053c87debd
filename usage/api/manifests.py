"""What a source states about its hours: taken in at once, superseded by a later word, readable for ever."""

from collections.abc import Sequence
from datetime import datetime
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
from core.periods import Span
from usage import agreement, hour_totals, manifests, watermark
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
        """State what this source sent for one hour, or in a list for up to 1,000; all of them are taken, or none.

        A later statement about an hour supersedes the earlier one. 201 when any is new or supersedes, 200 when the same
        was stated before. The answer says what was received; to a list it is ``{"results": [...], "watermark": …}``.
        """
        source, content = cast(Source, request.auth), body.read(request._request)
        statements = manifests.read(content)
        outcomes = manifests.state_all(source, statements)
        status = 200 if set(outcomes) == {manifests.REPEATED} else 201
        found = watermark.of(source, now=clock.now()).until
        mark = {"watermark": iso(found) if found else None}
        results = _results(source, statements, outcomes)
        if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            return Response({"source": source.name, "results": results} | mark, status=status)
        return Response({"source": source.name} | results[0] | mark, status=status)


def _results(
    source: Source, statements: Sequence[agreement.Statement], outcomes: Sequence[str]
) -> list[dict[str, Any]]:
    """Say of each hour whether both sides agree."""
    hours = [one.hour for one in statements]
    received: dict[datetime, list[hour_totals.Received]] = {hour: [] for hour in hours}
    for one in hour_totals.received(Span(min(hours), max(hours) + manifests.HOUR), [source.pk]):
        if one.hour in received:
            received[one.hour].append(one)
    return [_result(one, received[one.hour], outcome) for one, outcome in zip(statements, outcomes, strict=True)]


def _result(statement: agreement.Statement, received: Sequence[hour_totals.Received], outcome: str) -> dict[str, Any]:
    digest = agreement.written(sum(one.hash for one in received))
    return {
        "hour": iso(statement.hour),
        "outcome": outcome,
        "agrees": hour_totals.agrees(statement, received),
        "received": {"events": sum(one.sums.events for one in received), "hash": digest},
    }
