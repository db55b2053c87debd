"""What makes the ladder wait, for programs: promises and holds of a case. Staff keys only."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from billing.api.reading import ExactJSONParser
from collections_ import casework
from collections_.api.cases import found
from collections_.models import Hold, Promise
from core import clock
from core.api import ONCE, IdempotentWrites, NothingIn, StrictSerializer, read
from core.errors import NotFound


class PromiseOut(serializers.ModelSerializer[Promise]):
    """What the customer said they will pay, and whether they did."""

    class Meta:
        model = Promise
        fields = ["id", "amount", "due_on", "state", "made_by", "made_at"]


class HoldOut(serializers.ModelSerializer[Hold]):
    """A pause with a reason and an end."""

    class Meta:
        model = Hold
        fields = ["id", "reason", "until", "placed_by", "placed_at", "lifted_by", "lifted_at"]


class PromiseIn(StrictSerializer):
    """What the customer promised."""

    amount = serializers.DecimalField(max_digits=24, decimal_places=4, help_text="In the case's currency.")
    due_on = serializers.DateField(help_text="The ladder waits through this day.")


class HoldIn(StrictSerializer):
    """Why the ladder pauses, and how long."""

    reason = serializers.CharField(max_length=500, help_text="Others decide by it whether the hold still makes sense.")
    until = serializers.DateField(help_text="The last day of the hold.")


class CasePromises(IdempotentWrites, ListAPIView[Promise]):
    """The promises of one case, newest first."""

    serializer_class = PromiseOut
    queryset = Promise.objects.none()
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "collections:read", "POST": "collections:write"}
    capabilities = {"GET": "collections.view", "POST": "collections.work"}

    def get_queryset(self) -> QuerySet[Promise]:
        return Promise.objects.filter(case=found(self.kwargs["key"]))

    @extend_schema(request=PromiseIn, responses={201: PromiseOut}, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Record what the customer promised; the ladder waits through that day."""
        made = casework.promise(key, as_of=clock.today(), actor=principal(request).actor, **read(PromiseIn, request))
        return Response(PromiseOut(made).data, status=201)


class CaseHolds(IdempotentWrites, ListAPIView[Hold]):
    """The holds of one case, newest first."""

    serializer_class = HoldOut
    queryset = Hold.objects.none()
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "collections:read", "POST": "collections:write"}
    capabilities = {"GET": "collections.view", "POST": "collections.work"}

    def get_queryset(self) -> QuerySet[Hold]:
        return Hold.objects.filter(case=found(self.kwargs["key"]))

    @extend_schema(request=HoldIn, responses={201: HoldOut}, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Put the case on hold through a day, with a reason."""
        placed = casework.hold(key, as_of=clock.today(), actor=principal(request).actor, **read(HoldIn, request))
        return Response(HoldOut(placed).data, status=201)


class HoldLift(IdempotentWrites, APIView):
    """The end of a hold before its day."""

    parser_classes = [ExactJSONParser]
    scopes = {"POST": "collections:write"}
    capabilities = {"POST": "collections.work"}

    @extend_schema(operation_id="cases_holds_lift", request=None, responses=HoldOut, parameters=[ONCE])
    def post(self, request: Request, key: int, hold: int) -> Response:
        """Let the ladder go on with the next run."""
        read(NothingIn, request)
        if not Hold.objects.filter(case_id=key, pk=hold).exists():
            raise NotFound(f"Case {key} has no hold {hold}.")
        return Response(HoldOut(casework.lift(hold, actor=principal(request).actor)).data)
