"""The running month for programs: what an account used so far, priced as its invoice will be."""

from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import registering
from accounts.authentication import principal
from accounts.models import Account
from billing.api.reading import CoinsField, PlainField
from billing.current import CurrentUsage, current_usage
from core import clock
from core.errors import Invalid
from core.fields import moment


class CurrentLineOut(serializers.Serializer[Any]):
    """One line as an invoice would show it."""

    app = serializers.CharField()
    product = serializers.CharField()
    component = serializers.CharField()
    description = serializers.CharField()
    quantity = PlainField()
    unit = serializers.CharField()
    unit_amount = PlainField(allow_null=True)
    amount = serializers.CharField(help_text="With the currency's digits.")
    usage = PlainField(allow_null=True, help_text="Seconds, or the measured quantity.")
    resources = serializers.IntegerField()


class CurrentOut(serializers.Serializer[Any]):
    """A month up to ``as_of``, before credits and tax; ``forecast`` goes on at the pace of the last day."""

    account = serializers.SerializerMethodField()
    month = serializers.CharField(help_text="YYYY-MM")
    as_of = serializers.DateTimeField()
    currency = serializers.CharField()
    total = CoinsField()
    forecast = CoinsField()
    waiting = serializers.CharField(help_text="Why something cannot be priced yet; usually empty.")
    lines = CurrentLineOut(many=True)

    def get_account(self, current: CurrentUsage) -> str:
        return str(self.context["account"])


class CurrentUsageView(APIView):
    """The running month of one account."""

    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "usage.view"}
    for_accounts = True

    @extend_schema(
        operation_id="usage_current_retrieve",
        parameters=[
            OpenApiParameter("account", OpenApiTypes.STR, description="Its code; a staff key must say whose."),
            OpenApiParameter("as_of", OpenApiTypes.DATETIME, description="Up to when; default: now."),
        ],
        responses=CurrentOut,
    )
    def get(self, request: Request) -> Response:
        """Return what was used this month so far, line by line, and where it is heading. Nothing is written."""
        account = _account(request)
        current = current_usage(account, as_of=_as_of(request))
        return Response(CurrentOut(current, context={"account": account.code}).data)


def _account(request: Request) -> Account:
    """Return the key's own account, or for a staff key the one that is asked for."""
    who = principal(request)
    asked = request.query_params.get("account", "")
    if who.account is not None:
        if asked and asked != who.account.code:
            raise Invalid("This key sees its own account only; leave account out.", field="account")
        return who.account
    if not asked:
        raise Invalid("Say whose usage: add ?account=CODE.", field="account")
    return registering.find(asked)


def _as_of(request: Request) -> datetime:
    text, now = request.query_params.get("as_of", ""), clock.now()
    if not text:
        return now
    asked = moment(text.replace(" ", "+"), "as_of")  # an unescaped + arrives as a space
    if asked > now + timedelta(minutes=5):
        raise Invalid("as_of lies in the future; leave it out for now.", field="as_of")
    return asked
