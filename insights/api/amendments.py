"""Corrections of usage for programs: preview what money they move, record them, read them, take them back."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from billing.api.reading import ExactJSONParser
from core.api import ONCE, IdempotentWrites, StrictSerializer, read
from core.errors import Invalid
from core.fields import moment, storable
from core.formatting import iso
from core.money import plain, round_to_minor_unit
from insights import moving
from insights.moving import Moved, Movement
from usage import amended, amending, restating
from usage.amended import Told
from usage.amending import Amending, Change, Correction, Reverting
from usage.models import Amendment

STATES: Final = ("standing", "reverted")
LONGEST_REASON: Final = 1000
PREVIEWED: Final = (
    "Of a preview: the change is made only if it moves exactly what that showed. Else 409 preview_outdated."
)


class AmendmentOut(serializers.ModelSerializer[Amendment]):
    """A correction: what of which resource, why, by whom, and whether it still stands."""

    state = serializers.SerializerMethodField()

    class Meta:
        model = Amendment
        fields = [
            "id", "resource", "meter", "start", "end", "reason", "batch", "state", "recorded_at", "recorded_by",
            "reverted_at", "reverted_by", "revert_reason",
        ]  # fmt: skip

    def get_state(self, amendment: Amendment) -> str:
        return STATES[amendment.reverted_at is not None]


class AmendmentIn(StrictSerializer):
    """What a resource did in a stretch of time, said anew: all that was known of it there gives way to ``events``."""

    resource = serializers.CharField(max_length=200)
    meter = serializers.CharField(max_length=100, default="", allow_blank=True, help_text="Only this one; empty: all.")
    start = serializers.CharField(help_text="RFC 3339.")
    end = serializers.CharField(help_text="Exclusive, 366 days after start at most, not in the future.")
    events = serializers.ListField(
        child=serializers.JSONField(),
        help_text="Up to 10,000 objects with type, time, product and, as in an event, meter, quantity, component, app, "
        "account. Empty: nothing happened.",
    )
    reason = serializers.CharField(max_length=LONGEST_REASON)
    preview = serializers.BooleanField(default=False, help_text="Only say what would move; nothing is recorded.")
    token = serializers.CharField(max_length=64, default="", allow_blank=True, help_text=PREVIEWED)


class RevertIn(StrictSerializer):
    """Why the amendment is taken back."""

    reason = serializers.CharField(max_length=LONGEST_REASON)
    batch = serializers.BooleanField(default=False, help_text="All that were made with it and still stand, as one.")
    preview = serializers.BooleanField(default=False, help_text="Only say what would move; nothing is recorded.")
    token = serializers.CharField(max_length=64, default="", allow_blank=True, help_text=PREVIEWED)


class Amendments(IdempotentWrites, ListAPIView[Amendment]):
    """Corrections of usage, newest first."""

    serializer_class = AmendmentOut
    queryset = Amendment.objects.none()
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "usage:read", "POST": "usage:write"}
    capabilities = {"GET": "usage.view", "POST": "usage.edit"}

    @extend_schema(
        parameters=[
            OpenApiParameter("resource", str),
            OpenApiParameter("batch", OpenApiTypes.UUID, description="made by one action"),
            OpenApiParameter("state", str, enum=STATES),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List corrections; ``resource``, ``batch`` and ``state`` narrow them."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=AmendmentIn, responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT}, parameters=[ONCE]
    )
    def post(self, request: Request) -> Response:
        """Correct a resource's usage. 200: what a ``preview`` would move, with its token. 201: it is recorded."""
        said = read(AmendmentIn, request)
        resource, start, end = said["resource"], moment(said["start"], "start"), moment(said["end"], "end")
        events = restating.events(resource, said["events"], meter=said["meter"])
        change = Amending([Correction(resource, start, end, events, said["meter"])], said["reason"])
        return _change(change, said, principal(request).actor)

    def get_queryset(self) -> QuerySet[Amendment]:
        asked = self.request.query_params
        found = Amendment.objects.all()
        if resource := asked.get("resource"):
            found = found.filter(resource=resource if storable(resource) else "")
        if batch := asked.get("batch"):
            try:
                found = found.filter(batch=serializers.UUIDField().to_internal_value(batch))
            except serializers.ValidationError:
                raise Invalid("batch is a UUID.", field="batch") from None
        if state := asked.get("state"):
            if state not in STATES:
                raise Invalid(f"state is {' or '.join(STATES)}.", field="state")
            found = found.filter(reverted_at__isnull=state == "standing")
        return found


class AmendmentDetail(APIView):
    """One correction."""

    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "usage.view"}

    @extend_schema(operation_id="usage_amendment_retrieve", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, key: int) -> Response:
        """Return a correction with the events that gave way and those that it says."""
        return Response(_detail(amending.find(key)))


class AmendmentRevert(IdempotentWrites, APIView):
    """The end of a correction."""

    parser_classes = [ExactJSONParser]
    scopes = {"POST": "usage:write"}
    capabilities = {"POST": "usage.edit"}

    @extend_schema(
        operation_id="usage_amendment_revert",
        request=RevertIn,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[ONCE],
    )
    def post(self, request: Request, key: int) -> Response:
        """Take a correction back, also one that a later one covers; ``covered_by`` in the answer names those."""
        said = read(RevertIn, request)
        one = amending.find(key)
        taken = amended.standing_with(one) if said["batch"] else [one.pk]
        answer = _change(Reverting(taken, said["reason"]), said, principal(request).actor)
        return Response(answer.data | {"covered_by": _covering(one)}, status=200)


def _change(change: Change, said: dict[str, Any], actor: str) -> Response:
    if said["preview"]:
        return Response(_moved(moving.preview(change, actor=actor)))
    made, moved = moving.carry_out(change, actor=actor, token=said["token"])
    found = Amendment.objects.filter(pk__in=made.amendments).order_by("pk")
    return Response({"amendments": AmendmentOut(found, many=True).data} | _moved(moved), status=201)


def _detail(one: Amendment) -> dict[str, Any]:
    known = amended.told(one.resource, one.start, one.end, meter=one.meter)
    return AmendmentOut(one).data | {
        "gave_way": [_event(event) for event in known if event.received_at < one.recorded_at],
        "events": [_event(event) for event in known if event.amendment == one.pk],
        "covered_by": _covering(one),
    }


def _covering(one: Amendment) -> list[int]:
    return list(amended.covering(one).order_by("pk").values_list("pk", flat=True))


def _event(event: Told) -> dict[str, Any]:
    said = event._asdict()
    times = {name: said[name].isoformat().replace("+00:00", "Z") for name in ("time", "received_at")}
    quantity = None if event.quantity is None else plain(event.quantity)
    return {"id": said.pop("event_id")} | {k: v for k, v in said.items() if k != "key"} | times | {"quantity": quantity}


def _moved(moved: Moved) -> dict[str, Any]:
    return {
        "token": moved.token,
        "accounts": list(moved.accounts),
        "spans": [{"start": iso(span.start), "end": iso(span.end)} for span in moved.spans],
        "totals": {currency: _coins(amount, currency) for currency, amount in moved.totals.items()},
        "movements": [_movement(one) for one in moved.movements],
        "unsaid": [{"account": one.account, "month": str(one.month), "reason": one.reason} for one in moved.unsaid],
    }


def _movement(one: Movement) -> dict[str, Any]:
    return {
        "account": one.account,
        "month": str(one.month),
        "app": one.app,
        "product": one.product,
        "description": one.description,
        "currency": one.currency,
        "before": _coins(one.before, one.currency),
        "after": _coins(one.after, one.currency),
        "difference": _coins(one.difference, one.currency),
        "billed_by": one.original[1] if one.original else None,
        "lands": one.landing.kind,
        "lands_in": str(one.landing.month),
        "detail": one.landing.sentence,
    }


def _coins(amount: Any, currency: str) -> str:
    return f"{round_to_minor_unit(amount, currency):f}"
