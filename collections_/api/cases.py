"""Cases for programs: who is past due, how far along the ladder, and a way to leave a note. Staff keys only."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from collections_ import casework, worklist
from collections_.models import Case, CaseEvent, CaseState
from core import clock
from core.api import IdempotentWrites
from core.errors import NotFound


class CaseOut(serializers.ModelSerializer[Case]):
    """One account's way along the ladder; amounts are as of today."""

    account = serializers.CharField(source="account.code")
    past_due = serializers.DecimalField(max_digits=24, decimal_places=4)
    invoices = serializers.IntegerField()
    oldest_due_on = serializers.DateField(source="oldest", allow_null=True)
    held_until = serializers.DateField(allow_null=True)
    promised_until = serializers.DateField(allow_null=True)

    class Meta:
        model = Case
        fields = [
            "id", "account", "currency", "state", "opened_on", "closed_on", "past_due", "invoices", "oldest_due_on",
            "held_until", "promised_until",
        ]  # fmt: skip


class CaseEventOut(serializers.ModelSerializer[CaseEvent]):
    """One entry of a case's story."""

    class Meta:
        model = CaseEvent
        fields = ["id", "at", "actor", "kind", "text"]


class NoteIn(serializers.Serializer[object]):
    """What an agent wants remembered."""

    text = serializers.CharField(max_length=5000)


class CaseList(ListAPIView[Case]):
    """Cases, the newest first."""

    serializer_class = CaseOut
    scopes = {"GET": "collections:read"}
    capabilities = {"GET": "collections.view"}

    @extend_schema(
        parameters=[
            OpenApiParameter("state", str, enum=CaseState.values, description="Only cases in this state."),
            OpenApiParameter("account", str, description="Only of the account with this code."),
        ]
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """List cases; ``state`` and ``account`` narrow them."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Case]:
        narrowed = worklist.cases(clock.today())
        for name, field in (("state", "state"), ("account", "account__code")):
            if value := self.request.query_params.get(name):
                narrowed = narrowed.filter(**{field: value})
        return narrowed


class CaseEvents(IdempotentWrites, ListAPIView[CaseEvent]):
    """The story of one case, the newest entry first."""

    serializer_class = CaseEventOut
    scopes = {"GET": "collections:read", "POST": "collections:write"}
    capabilities = {"GET": "collections.view", "POST": "collections.work"}

    def get_queryset(self) -> QuerySet[CaseEvent]:
        return CaseEvent.objects.filter(case_id=found(self.kwargs["key"]).pk)

    @extend_schema(request=NoteIn, responses={201: CaseEventOut})
    def post(self, request: Request, key: int) -> Response:
        """Leave a note."""
        asked = NoteIn(data=request.data)
        asked.is_valid(raise_exception=True)
        told = casework.note(found(key).pk, asked.validated_data["text"], actor=principal(request).actor)
        return Response(CaseEventOut(told).data, status=status.HTTP_201_CREATED)


class CaseDetail(APIView):
    """One case."""

    scopes = {"GET": "collections:read"}
    capabilities = {"GET": "collections.view"}

    @extend_schema(responses=CaseOut)
    def get(self, request: Request, key: int) -> Response:
        """Return a case with what is past due today."""
        return Response(CaseOut(found(key)).data)


def found(key: int) -> Case:
    """Return a case with what is past due today; raise NotFound."""
    case = worklist.cases(clock.today()).filter(pk=key).first()
    if case is None:
        raise NotFound(f"There is no case {key}.")
    return case
