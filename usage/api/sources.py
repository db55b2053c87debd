"""The sources for programs: who speaks, how late, up to where everything has arrived; made, rotated, paused, resumed.

A secret is in the answer that made it and nowhere else: a repeat with the same Idempotency-Key comes without it.
"""

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from core import clock, databases
from core.api import ONCE, IdempotentWrites, ReasonIn, StrictSerializer, read
from core.formatting import iso
from usage import feeds, sources, watching
from usage.models import Source, SourceCredential
from usage.watching import Watched

SHOWN_ONCE = ("secret",)
LONGEST_OVERLAP = int(sources.LONGEST_OVERLAP.total_seconds())


class SourceIn(StrictSerializer):
    """A new source and its contract."""

    name = serializers.CharField(max_length=100, help_text="Letters, digits, dots, dashes, underscores; never changes.")
    title = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="What it reports, in words.")
    owner = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="The team to call.")
    cadence_seconds = serializers.IntegerField(
        min_value=1,
        max_value=sources.LONGEST_SECONDS,
        default=3600,
        help_text="It speaks at least this often, or is late.",
    )
    lateness_seconds = serializers.IntegerField(
        min_value=0, max_value=sources.LONGEST_SECONDS, default=3600, help_text="How late it may be, or it is silent."
    )
    past_days = serializers.IntegerField(
        min_value=1, max_value=sources.LONGEST_PAST_DAYS, default=35, help_text="How old an event may arrive."
    )
    future_seconds = serializers.IntegerField(
        min_value=0, max_value=sources.LONGEST_AHEAD, default=300, help_text="How far ahead its clock may run."
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sources.SOURCE_SCOPES),
        min_length=1,
        default=list(sources.SOURCE_SCOPES),
        help_text="What its first secret may send.",
    )


class ContractIn(StrictSerializer):
    """What changes of a source's contract, and why; what is left out stays."""

    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    owner = serializers.CharField(max_length=200, required=False, allow_blank=True)
    cadence_seconds = serializers.IntegerField(min_value=1, max_value=sources.LONGEST_SECONDS, required=False)
    lateness_seconds = serializers.IntegerField(min_value=0, max_value=sources.LONGEST_SECONDS, required=False)
    past_days = serializers.IntegerField(min_value=1, max_value=sources.LONGEST_PAST_DAYS, required=False)
    future_seconds = serializers.IntegerField(min_value=0, max_value=sources.LONGEST_AHEAD, required=False)
    reason = serializers.CharField(max_length=500)


class RotationIn(StrictSerializer):
    """How long the old secrets live on beside the new one."""

    overlap_seconds = serializers.IntegerField(
        min_value=0, max_value=LONGEST_OVERLAP, default=int(sources.OVERLAP.total_seconds()), help_text="0: not at all."
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sources.SOURCE_SCOPES),
        min_length=1,
        required=False,
        help_text="What the new secret may send; all that the old ones may, without it.",
    )


class ResumptionIn(StrictSerializer):
    """Why, if there is something to say."""

    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class Sources(IdempotentWrites, APIView):
    """Every source; they are few."""

    scopes = {"GET": "usage:read", "POST": "sources:write"}
    capabilities = {"GET": "sources.view", "POST": "sources.edit"}
    shown_once = SHOWN_ONCE

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """List every source with its state, lag and watermark, those that need a person first."""
        watched = watching.sources(now=clock.database_now(databases.usage()))
        return Response({"results": [_written(one) for one in watched]})

    @extend_schema(request=SourceIn, responses={201: OpenApiTypes.OBJECT}, parameters=[ONCE])
    def post(self, request: Request) -> Response:
        """Make a source; ``secret`` in the answer is shown this once."""
        contract = read(SourceIn, request)
        source, secret = sources.create(contract.pop("name"), actor=principal(request).actor, **contract)
        return Response(_watched(source) | {"secret": secret.text}, status=201)


class SourceDetail(IdempotentWrites, APIView):
    """One source."""

    scopes = {"GET": "usage:read", "PATCH": "sources:write"}
    capabilities = {"GET": "sources.view", "PATCH": "sources.edit"}

    @extend_schema(operation_id="usage_source_retrieve", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, name: str) -> Response:
        """Return a source with its state, lag, watermark and secrets (their beginnings)."""
        return Response(_watched(sources.find(name)))

    @extend_schema(
        operation_id="usage_source_change",
        request=ContractIn,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[ONCE],
    )
    def patch(self, request: Request, name: str) -> Response:
        """Change a source's contract; what was agreed before stays in the audit trail."""
        asked = read(ContractIn, request)
        return Response(_watched(sources.change(sources.find(name), actor=principal(request).actor, **asked)))


class SourceAction(IdempotentWrites, APIView):
    """What changing a source takes."""

    scopes = {"POST": "sources:write"}
    capabilities = {"POST": "sources.edit"}


class SourceRotation(SourceAction):
    """A new secret for a source."""

    shown_once = SHOWN_ONCE

    @extend_schema(
        operation_id="usage_source_rotate",
        request=RotationIn,
        responses={201: OpenApiTypes.OBJECT},
        parameters=[ONCE],
    )
    def post(self, request: Request, name: str) -> Response:
        """Make a new secret, shown this once; the old ones end after the overlap."""
        source, asked = sources.find(name), read(RotationIn, request)
        overlap = timedelta(seconds=asked["overlap_seconds"])
        secret = sources.rotate(source, actor=principal(request).actor, overlap=overlap, scopes=asked.get("scopes"))
        return Response({"name": source.name, "prefix": secret.prefix, "secret": secret.text}, status=201)


class SourceRevocation(SourceAction):
    """The end of a source."""

    @extend_schema(
        operation_id="usage_source_revoke", request=ReasonIn, responses={200: OpenApiTypes.OBJECT}, parameters=[ONCE]
    )
    def post(self, request: Request, name: str) -> Response:
        """End a source for good: every secret of it ends, its feed is read no more, what it sent stays."""
        asked = read(ReasonIn, request)
        return Response(_watched(sources.revoke(sources.find(name), actor=principal(request).actor, **asked)))


class CredentialRevocation(SourceAction):
    """The end of one secret."""

    @extend_schema(
        operation_id="usage_source_secret_revoke",
        request=ReasonIn,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[ONCE],
    )
    def post(self, request: Request, name: str, prefix: str) -> Response:
        """End one secret at once: it got into wrong hands."""
        asked, source = read(ReasonIn, request), sources.find(name)
        sources.revoke_credential(source, prefix, actor=principal(request).actor, **asked)
        return Response(_watched(source))


class SourcePause(SourceAction):
    """A pause of a source."""

    @extend_schema(
        operation_id="usage_source_pause", request=ReasonIn, responses={200: OpenApiTypes.OBJECT}, parameters=[ONCE]
    )
    def post(self, request: Request, name: str) -> Response:
        """Refuse what the source sends until it is resumed; it is told to keep it."""
        asked = read(ReasonIn, request)
        return Response(_watched(sources.pause(sources.find(name), actor=principal(request).actor, **asked)))


class SourceResumption(SourceAction):
    """The end of a source's pause."""

    @extend_schema(
        operation_id="usage_source_resume",
        request=ResumptionIn,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[ONCE],
    )
    def post(self, request: Request, name: str) -> Response:
        """Take what the source sends again."""
        asked = read(ResumptionIn, request)
        return Response(_watched(sources.resume(sources.find(name), actor=principal(request).actor, **asked)))


def _watched(source: Source) -> dict[str, Any]:
    watched = watching.source(source, now=clock.database_now(databases.usage()))
    return _written(watched) | {"credentials": [_credential(one) for one in source.credentials.order_by("-id")]}


def _credential(one: SourceCredential) -> dict[str, Any]:
    moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
    said = {name: iso(at) if (at := getattr(one, name)) else None for name in moments}
    return {"prefix": one.prefix, "scopes": one.scopes} | said


def _written(one: Watched) -> dict[str, Any]:
    source, mark = one.source, one.watermark
    feed = getattr(source, "feed", None)
    return {
        "name": source.name,
        "title": source.title,
        "owner": source.owner,
        "state": one.health,
        "explanation": one.explanation,
        "cadence_seconds": source.cadence_seconds,
        "lateness_seconds": source.lateness_seconds,
        "past_days": source.past_days,
        "future_seconds": source.future_seconds,
        "last_heard": iso(one.last_heard) if one.last_heard else None,
        "newest_event": iso(source.last_event_at) if source.last_event_at else None,
        "lag_seconds": None if one.lag is None else int(one.lag.total_seconds()),
        "events_24h": one.events_24h,
        "watermark": iso(mark.until) if mark.until else None,
        "watermark_basis": mark.basis,
        "feed": feeds.standing(feed) if feed else None,
    }
