"""Credits for programs: staff give or ask for them within their role; an account's key reads its own."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import registering
from accounts.authentication import principal
from billing import crediting
from billing.api.reading import CoinsField, ExactJSONParser
from billing.models import CreditApplication, CreditGrant, CreditState, ProductGroup
from core.api import ONCE, IdempotentWrites, NothingIn, ReasonIn, StrictSerializer, read
from core.errors import Invalid, NotFound

FOR_STAFF: Final = ("requested_by", "decided_by")  # who of us decided is nothing that a customer's program is told


class CreditOut(serializers.ModelSerializer[CreditGrant]):
    """A credit; an account's key is not told which of our people gave it."""

    account = serializers.CharField(source="account.code")
    corrects = serializers.CharField(source="corrects.number", default=None, allow_null=True)
    amount = CoinsField()
    balance = CoinsField()
    cap_per_month = CoinsField(allow_null=True)

    class Meta:
        model = CreditGrant
        fields = [
            "id", "account", "currency", "amount", "balance", "state", "scope", "partners", "cap_per_month", "reason",
            "corrects", "expires_on", "requested_by", "requested_at", "decided_by", "decided_at",
        ]  # fmt: skip

    def to_representation(self, instance: CreditGrant) -> Any:
        """Leave out what is only for staff unless the context says ``staff``."""
        out = super().to_representation(instance)
        return out if self.context.get("staff") else {name: out[name] for name in out if name not in FOR_STAFF}


class ApplicationOut(serializers.ModelSerializer[CreditApplication]):
    """What one invoice took of a credit; a draft has no number yet."""

    invoice = serializers.CharField(source="invoice.number", default=None, allow_null=True)
    month = serializers.DateField(source="invoice.period_start", format="%Y-%m", help_text="YYYY-MM")
    status = serializers.CharField(source="invoice.status")
    amount = CoinsField(currency="grant.currency")

    class Meta:
        model = CreditApplication
        fields = ["invoice", "month", "status", "amount"]


class CreditDetailOut(CreditOut):
    """A credit with every invoice that took of it."""

    applications = ApplicationOut(many=True)

    class Meta(CreditOut.Meta):
        fields = [*CreditOut.Meta.fields, "applications"]


class CreditIn(StrictSerializer):
    """A credit to give, or to ask for when it is above the limit of the key's person."""

    account = serializers.CharField(max_length=200, help_text="Its code.")
    amount = serializers.DecimalField(max_digits=19, decimal_places=4, help_text="In the account's currency.")
    reason = serializers.CharField(max_length=500)
    scope = serializers.ListField(
        child=serializers.ChoiceField(ProductGroup.choices), default=list, help_text="Product groups; empty: all."
    )
    partners = serializers.BooleanField(default=True, help_text="May also pay for third parties' products.")
    cap_per_month = serializers.DecimalField(max_digits=19, decimal_places=4, allow_null=True, default=None)
    expires_on = serializers.DateField(
        allow_null=True, default=None, help_text="Months that begin on or after this day cannot use it."
    )


class CreditList(IdempotentWrites, ListAPIView[CreditGrant]):
    """Credits, newest first."""

    serializer_class = CreditOut
    queryset = CreditGrant.objects.none()
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "credits:read", "POST": "credits:write"}
    capabilities = {"GET": "credits.view", "POST": "credits.request"}
    for_accounts = True  # an account's key cannot carry credits:write

    @extend_schema(
        parameters=[
            OpenApiParameter("account", OpenApiTypes.STR, description="The account's code."),
            OpenApiParameter("state", OpenApiTypes.STR, enum=CreditState.values),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List credits; ``account`` and ``state`` narrow them. An account's key sees its own active ones."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=CreditIn, responses={201: CreditOut}, parameters=[ONCE])
    def post(self, request: Request) -> Response:
        """Give a credit. ``state`` in the answer is ``active``, or ``requested`` when a second person must agree."""
        terms = read(CreditIn, request)
        account = registering.find(terms.pop("account"))
        grant = crediting.request(account.pk, **terms, actor=principal(request).actor)
        return Response(CreditOut(grant, context={"staff": True}).data, status=201)

    def get_queryset(self) -> QuerySet[CreditGrant]:
        found, asked = _visible(self.request), self.request.query_params
        if account := asked.get("account"):
            found = found.filter(account__code=account)
        if state := asked.get("state"):
            if state not in CreditState.values:
                raise Invalid(f"state is one of {', '.join(CreditState.values)}; it is {state!r:.40}.", field="state")
            found = found.filter(state=state)
        return found

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "staff": _is_staff(self.request)}


class CreditDetail(APIView):
    """One credit."""

    scopes = {"GET": "credits:read"}
    capabilities = {"GET": "credits.view"}
    for_accounts = True

    @extend_schema(responses=CreditDetailOut)
    def get(self, request: Request, key: int) -> Response:
        """Return a credit with every invoice that took of it."""
        grant = _visible(request).filter(pk=key).prefetch_related("applications__invoice").first()
        if grant is None:
            raise NotFound("There is no such credit, or it is not yours.")
        return Response(CreditDetailOut(grant, context={"staff": _is_staff(request)}).data)


class Decision(IdempotentWrites, APIView):
    """What deciding on a request takes: somebody else of finance than who asked for it."""

    parser_classes = [ExactJSONParser]
    scopes = {"POST": "credits:write"}
    capabilities = {"POST": "credits.approve"}


class CreditApproval(Decision):
    """The approval of a requested credit."""

    @extend_schema(operation_id="credits_approve", request=None, responses=CreditOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Let a requested credit become active; drafts in review take of it at once."""
        read(NothingIn, request)
        grant = crediting.approve(key, actor=principal(request).actor)
        return Response(CreditOut(grant, context={"staff": True}).data)


class CreditRefusal(Decision):
    """The refusal of a requested credit."""

    @extend_schema(operation_id="credits_refuse", request=ReasonIn, responses=CreditOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Turn a requested credit down; it stays as a record, and whoever asked for it reads the reason."""
        grant = crediting.refuse(key, actor=principal(request).actor, **read(ReasonIn, request))
        return Response(CreditOut(grant, context={"staff": True}).data)


def _visible(request: Request) -> QuerySet[CreditGrant]:
    found, who = CreditGrant.objects.select_related("account", "corrects"), principal(request)
    return found if who.account is None else found.filter(account=who.account, state=CreditState.ACTIVE)


def _is_staff(request: Request) -> bool:
    return getattr(request.user, "user", None) is not None
