"""A month's usage for programs, the running one above all: line by line as its invoice will say it, or by its parts."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import registering
from accounts.authentication import principal
from accounts.models import Account
from billing.api.current_parts import BREAKDOWNS, CurrentOut, Page, lines_of
from billing.current import current_usage
from billing.month_use import month_use
from core import clock
from core.errors import Invalid
from core.fields import moment
from core.periods import Month


class CurrentUsageView(APIView):
    """One account's usage of a month."""

    scopes = {"GET": "usage:read"}
    capabilities = {"GET": "usage.view"}
    for_accounts = True

    @extend_schema(
        operation_id="usage_current_retrieve",
        parameters=[
            OpenApiParameter("account", OpenApiTypes.STR, description="Its code; a staff key must say whose."),
            OpenApiParameter("as_of", OpenApiTypes.DATETIME, description="Up to when; default: now."),
            OpenApiParameter(
                "by",
                OpenApiTypes.STR,
                enum=["line", *BREAKDOWNS],
                description="What it is broken down by; the parts sum to total to the coin. Default: line.",
            ),
            OpenApiParameter(
                "month",
                OpenApiTypes.STR,
                description="YYYY-MM, with by=day, app or resource; as billed once it is. Default: that of as_of.",
            ),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="By resource: from ``next`` of the page before."),
            OpenApiParameter("page_size", OpenApiTypes.INT, description="By resource: 1 to 1000, 100 unless told."),
        ],
        responses=CurrentOut,
    )
    def get(self, request: Request) -> Response:
        """Return what was used this month so far, and where it is heading at the pace of the last day.

        Computed when it is asked for, from all events that have been paired by then. Nothing is written.
        """
        account, asked = _account(request), request.query_params.dict()
        by, as_of = asked.get("by", "line"), _as_of(asked)
        if by == "line":
            if "month" in asked:
                raise Invalid(
                    "Say by=day, by=app or by=resource for a month; its invoice has the lines.", field="month"
                )
            return Response(CurrentOut(lines_of(account.code, current_usage(account, as_of=as_of))).data)
        if by not in BREAKDOWNS:
            raise Invalid(f"{by!r:.40} is no breakdown; use line, {', '.join(BREAKDOWNS)}.", field="by")
        month = Month.parse(asked["month"]) if "month" in asked else Month.containing(as_of)
        page = Page.asked(asked, request.build_absolute_uri(), as_of)
        found = month_use(account, month, as_of=page.as_of, cutoff=page.cutoff)
        return Response(CurrentOut(BREAKDOWNS[by](found, page)).data)


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


def _as_of(given: Mapping[str, str]) -> datetime:
    text, now = given.get("as_of", ""), clock.now()
    if not text:
        return now
    asked = moment(text.replace(" ", "+"), "as_of")  # an unescaped + arrives as a space
    if asked > now + timedelta(minutes=5):
        raise Invalid("as_of lies in the future; leave it out for now.", field="as_of")
    return asked
