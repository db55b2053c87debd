"""Runs for programs: how a month's build stands, and how each account of it ended. Staff keys only."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from billing import reviewing, running
from billing.api.reading import AmountOut, CoinsField, ExactJSONParser
from billing.models import Outcome, Run, RunAccount, RunState
from billing.reviewing import Summary
from core.api import ONCE, IdempotentWrites, StrictSerializer, read
from core.errors import Invalid, NotFound
from core.periods import Month

COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


class RunOut(serializers.ModelSerializer[Run]):
    """A run with its roster by outcome and its invoices by currency; the view puts ``summaries`` into the context."""

    month = serializers.DateField(format="%Y-%m", help_text="YYYY-MM")
    accounts = serializers.SerializerMethodField(help_text="How many accounts are on the roster.")
    outcomes = serializers.SerializerMethodField(help_text="Accounts by outcome; they add up to the roster.")
    amounts = serializers.SerializerMethodField(help_text="What its invoices come to, by currency.")
    unconfirmed = serializers.ListField(
        child=serializers.DictField(),
        read_only=True,
        help_text="Sources it did not wait for, and up to where they were.",
    )

    class Meta:
        model = Run
        fields = [
            "id", "month", "shadow", "state", "cutoff", "prices_at", "opened_by", "opened_at", "approved_by",
            "approved_at", "issue_date", "closed_at", "code_version", "unconfirmed",
            "unconfirmed_reason", "accounts", "outcomes", "amounts",
        ]  # fmt: skip

    def get_accounts(self, run: Run) -> int:
        return self._summary(run).accounts

    @extend_schema_field(COUNTS)
    def get_outcomes(self, run: Run) -> dict[str, int]:
        return dict(self._summary(run).outcomes)

    @extend_schema_field(AmountOut(many=True))
    def get_amounts(self, run: Run) -> Any:
        return AmountOut(self._summary(run).amounts, many=True).data

    def _summary(self, run: Run) -> Summary:
        summaries: Mapping[int, Summary] = self.context["summaries"]
        return summaries[run.pk]


class RosterOut(serializers.ModelSerializer[RunAccount]):
    """One account of a run, and how it ended."""

    account = serializers.CharField(source="account.code")
    currency = serializers.CharField(source="account.currency")
    total = CoinsField(currency="account.currency", allow_null=True)
    invoice = serializers.CharField(source="invoice.number", default=None, allow_null=True)
    invoice_id = serializers.IntegerField(allow_null=True, help_text="Names a draft, which has no number.")

    class Meta:
        model = RunAccount
        fields = ["account", "outcome", "reason_code", "reason", "currency", "total", "invoice", "invoice_id"]


class RunIn(StrictSerializer):
    """Which month to build."""

    month = serializers.CharField(max_length=7, help_text="YYYY-MM")
    shadow = serializers.BooleanField(default=False, help_text="Only to look at: nothing of it is ever issued.")
    despite = serializers.CharField(
        default="", allow_blank=True, max_length=500, help_text="Why it does not wait for unconfirmed usage."
    )


class RunList(IdempotentWrites, ListAPIView[Run]):
    """Every run, newest first."""

    commits_itself = True  # to open one takes the intake's lock for a moment
    serializer_class = RunOut
    queryset = Run.objects.all()
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "runs:read", "POST": "runs:write"}
    capabilities = {"GET": "runs.view", "POST": "runs.open"}

    @extend_schema(
        parameters=[
            OpenApiParameter("month", OpenApiTypes.STR, description="YYYY-MM"),
            OpenApiParameter("state", OpenApiTypes.STR, enum=RunState.values),
            OpenApiParameter("shadow", OpenApiTypes.BOOL),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List runs; ``month``, ``state`` and ``shadow`` narrow them."""
        page = self.paginate_queryset(_matching(request)) or []
        return self.get_paginated_response(out(page))

    @extend_schema(request=RunIn, responses={200: RunOut, 201: RunOut}, parameters=[ONCE])
    def post(self, request: Request) -> Response:
        """Open a month's run; workers draft its invoices. 201, or 200 with the run that the month has already."""
        asked = read(RunIn, request)
        month = Month.parse(asked["month"])
        known = None if asked["shadow"] else running.live(month)
        run = running.open_run(month, shadow=asked["shadow"], actor=principal(request).actor, despite=asked["despite"])
        return Response(out([run])[0], status=200 if known else 201)


class RunDetail(APIView):
    """One run."""

    scopes = {"GET": "runs:read"}
    capabilities = {"GET": "runs.view"}

    @extend_schema(responses=RunOut)
    def get(self, request: Request, key: int) -> Response:
        """Return a run as it stands now."""
        return Response(out([find(key)])[0])


class RunRoster(ListAPIView[RunAccount]):
    """A run's roster."""

    serializer_class = RosterOut
    queryset = RunAccount.objects.none()
    scopes = {"GET": "runs:read"}
    capabilities = {"GET": "runs.view"}

    @extend_schema(parameters=[OpenApiParameter("outcome", OpenApiTypes.STR, enum=Outcome.values)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the accounts of a run with how each ended; ``outcome`` narrows them."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[RunAccount]:
        roster = RunAccount.objects.filter(run=find(self.kwargs["key"])).select_related("account", "invoice")
        outcome = self.request.query_params.get("outcome")
        return roster.filter(outcome=_one_of(outcome, Outcome.values, "outcome")) if outcome else roster


def find(key: int) -> Run:
    """Return a run; raise NotFound."""
    run = Run.objects.filter(pk=key).first()
    if run is None:
        raise NotFound(f"There is no run {key}.")
    return run


def out(runs: list[Run]) -> list[Any]:
    """Return runs as the API writes them."""
    return list(RunOut(runs, many=True, context={"summaries": reviewing.summaries(runs)}).data)


def _matching(request: Request) -> QuerySet[Run]:
    asked, runs = request.query_params, Run.objects.all()
    if month := asked.get("month"):
        runs = runs.filter(month=Month.parse(month).first_day)
    if state := asked.get("state"):
        runs = runs.filter(state=_one_of(state, RunState.values, "state"))
    if shadow := asked.get("shadow"):
        runs = runs.filter(shadow=_one_of(shadow, ["true", "false"], "shadow") == "true")
    return runs


def _one_of(text: str, words: list[str], field: str) -> str:
    if text not in words:
        raise Invalid(f"{field} is one of {', '.join(words)}; it is {text!r:.40}.", field=field)
    return text
