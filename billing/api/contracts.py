"""Contracts for programs: staff agree on them and let them end; an account's key reads its own."""

from typing import Any

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
from billing import contracting
from billing.api.reading import ExactJSONParser
from billing.contracting import OwnPrice
from billing.models import Contract, Price
from core.api import ONCE, IdempotentWrites, StrictSerializer, read
from core.periods import InvalidMonth, Month


class OwnPriceOut(serializers.ModelSerializer[Price]):
    """What one product costs under a contract."""

    product = serializers.CharField(source="product.code")

    class Meta:
        model = Price
        fields = ["product", "terms", "unit"]


class ContractOut(serializers.ModelSerializer[Contract]):
    """An account's own terms for the months ``[valid_from, valid_to)``."""

    account = serializers.CharField(source="account.code")
    valid_from = serializers.DateField(format="%Y-%m", help_text="YYYY-MM")
    valid_to = serializers.DateField(format="%Y-%m", allow_null=True, help_text="YYYY-MM, the first month without it")
    prices = OwnPriceOut(many=True)

    class Meta:
        model = Contract
        fields = ["id", "account", "currency", "name", "valid_from", "valid_to", "terms", "prices", "created_at"]


class OwnPriceIn(StrictSerializer):
    """What one product costs under a contract."""

    product = serializers.CharField(max_length=200, help_text="Its code.")
    terms = serializers.DictField(help_text='A price as quotes take it: {"model": "prorated", "unit_amount": "40"}.')
    unit = serializers.CharField(max_length=40, help_text="As printed: month, request, GB.")


class MonthIn(serializers.CharField):
    """A month, ``YYYY-MM``."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return Month.parse(super().to_internal_value(data))
        except InvalidMonth as error:
            raise serializers.ValidationError(str(error)) from error


class ContractIn(StrictSerializer):
    """What is agreed on with an account, in its currency."""

    account = serializers.CharField(max_length=200, help_text="Its code.")
    name = serializers.CharField(max_length=200)
    valid_from = MonthIn(help_text="YYYY-MM; not a month that a run has rated already.")
    valid_to = MonthIn(allow_null=True, default=None, help_text="YYYY-MM, the first month without it.")
    terms = serializers.DictField(
        default=dict,
        help_text="allowances, discounts, commitment, minimum_spend, maximum_spend; amounts are decimal strings.",
    )
    prices = OwnPriceIn(many=True, default=list)
    reason = serializers.CharField(max_length=500)


class EndIn(StrictSerializer):
    """When a contract ends, and why."""

    valid_to = MonthIn(help_text="YYYY-MM, the first month without it.")
    reason = serializers.CharField(max_length=500)


class ContractList(IdempotentWrites, ListAPIView[Contract]):
    """Contracts, newest first."""

    serializer_class = ContractOut
    queryset = Contract.objects.none()
    parser_classes = [ExactJSONParser]
    scopes = {"GET": "contracts:read", "POST": "contracts:write"}
    capabilities = {"GET": "prices.view", "POST": "prices.edit"}
    for_accounts = True  # an account's key cannot carry contracts:write

    @extend_schema(parameters=[OpenApiParameter("account", OpenApiTypes.STR, description="The account's code.")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List contracts; ``account`` narrows them. An account's key sees its own."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=ContractIn, responses={201: ContractOut}, parameters=[ONCE])
    def post(self, request: Request) -> Response:
        """Agree on a contract; it counts from its first month on."""
        asked = read(ContractIn, request)
        account = registering.find(asked.pop("account"))
        prices = [OwnPrice(**price) for price in asked.pop("prices")]
        made = contracting.agree(account.pk, prices=prices, actor=principal(request).actor, **asked)
        return Response(ContractOut(made).data, status=201)

    def get_queryset(self) -> QuerySet[Contract]:
        found, who = (
            Contract.objects.select_related("account").prefetch_related("prices__product"),
            principal(self.request),
        )
        if who.account is not None:
            found = found.filter(account=who.account)
        if account := self.request.query_params.get("account"):
            found = found.filter(account__code=account)
        return found


class ContractEnd(IdempotentWrites, APIView):
    """The end of a contract."""

    parser_classes = [ExactJSONParser]
    scopes = {"POST": "contracts:write"}
    capabilities = {"POST": "prices.edit"}

    @extend_schema(operation_id="contracts_end", request=EndIn, responses=ContractOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Let a contract without an end cover no month from ``valid_to`` on."""
        asked = read(EndIn, request)
        return Response(ContractOut(contracting.end(key, actor=principal(request).actor, **asked)).data)
