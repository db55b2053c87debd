"""Webhooks for programs: an account's key manages its own, staff everybody's; and what was told, to tell it again."""

from typing import Final

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import registering
from accounts.authentication import Principal, principal
from accounts.models import Account, WebhookDelivery, WebhookEndpoint
from accounts.webhooks import endpoints
from accounts.webhooks.topics import TOPICS
from core.api import ONCE, IdempotentWrites, NothingIn, ReasonIn, StrictSerializer, read
from core.errors import NotFound

SCOPES: Final = {"GET": "webhooks:read", "POST": "webhooks:write", "DELETE": "webhooks:write"}
CAPABILITIES: Final = {"GET": "webhooks.view", "POST": "webhooks.edit", "DELETE": "webhooks.edit"}


class WebhookOut(serializers.ModelSerializer[WebhookEndpoint]):
    """Who hears what."""

    account = serializers.CharField(source="account.code", default=None, allow_null=True)
    paused = serializers.BooleanField(source="paused_at")

    class Meta:
        model = WebhookEndpoint
        fields = ["id", "account", "url", "topics", "description", "paused", "created_at"]


class NewWebhookOut(WebhookOut):
    """A webhook with the secret that signs its news; no other answer shows it."""

    secret = serializers.CharField()

    class Meta(WebhookOut.Meta):
        fields = [*WebhookOut.Meta.fields, "secret"]


class WebhookIn(StrictSerializer):
    """A program that is to hear news."""

    url = serializers.CharField(max_length=500, help_text="https://…")
    topics = serializers.ListField(child=serializers.ChoiceField(list(TOPICS)), default=list, help_text="Empty: all.")
    description = serializers.CharField(max_length=200, default="", allow_blank=True)
    account = serializers.CharField(
        max_length=200, allow_null=True, default=None, help_text="Its code; for staff only. Null: every account."
    )


class DeliveryOut(serializers.ModelSerializer[WebhookDelivery]):
    """One piece of news on its way to one webhook."""

    message = serializers.CharField(source="message.name", help_text="As webhook-id says it.")
    topic = serializers.CharField(source="message.topic")
    body = serializers.CharField(source="message.body", help_text="As it was signed.")
    said_at = serializers.DateTimeField(source="message.created_at")

    class Meta:
        model = WebhookDelivery
        fields = ["id", "message", "topic", "body", "state", "attempts", "last_error", "said_at", "delivered_at"]


class WebhookList(IdempotentWrites, ListAPIView[WebhookEndpoint]):
    """Webhooks, newest first."""

    serializer_class = WebhookOut
    queryset = WebhookEndpoint.objects.none()
    scopes, capabilities = SCOPES, CAPABILITIES
    for_accounts = True
    shown_once = ("secret",)

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return _visible(principal(self.request))

    @extend_schema(request=WebhookIn, responses={201: NewWebhookOut}, parameters=[ONCE])
    def post(self, request: Request) -> Response:
        """Let a program hear news; the answer alone shows the secret that signs them."""
        asked, who = read(WebhookIn, request), principal(request)
        made = endpoints.add(_account(who, asked.pop("account")), actor=who.actor, **asked)
        made.endpoint.secret = made.secret  # type: ignore[attr-defined]
        return Response(NewWebhookOut(made.endpoint).data, status=201)


class WebhookDetail(IdempotentWrites, APIView):
    """One webhook."""

    scopes, capabilities = SCOPES, CAPABILITIES
    for_accounts = True

    @extend_schema(operation_id="webhooks_retrieve", responses=WebhookOut)
    def get(self, request: Request, key: int) -> Response:
        """Return one webhook."""
        return Response(WebhookOut(_find(request, key)).data)

    @extend_schema(request=ReasonIn, responses=WebhookOut, parameters=[ONCE])
    def delete(self, request: Request, key: int) -> Response:
        """Let it hear nothing any more; its log stays with us."""
        found = _find(request, key)
        endpoints.remove(found.pk, actor=principal(request).actor, **read(ReasonIn, request))
        return Response(WebhookOut(found).data)


class WebhookTest(IdempotentWrites, APIView):
    """A piece of news that means nothing."""

    scopes, capabilities = SCOPES, CAPABILITIES
    for_accounts = True

    @extend_schema(operation_id="webhooks_test", request=None, responses={202: WebhookOut}, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Tell it a test."""
        read(NothingIn, request)
        found = _find(request, key)
        endpoints.test(found.pk, actor=principal(request).actor)
        return Response(WebhookOut(found).data, status=202)


class WebhookDeliveries(ListAPIView[WebhookDelivery]):
    """What a webhook was told, newest first."""

    serializer_class = DeliveryOut
    queryset = WebhookDelivery.objects.none()
    scopes, capabilities = SCOPES, CAPABILITIES
    for_accounts = True

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        if getattr(self, "swagger_fake_view", False):
            return WebhookDelivery.objects.none()
        return _find(self.request, self.kwargs["key"]).deliveries.select_related("message")


class DeliveryAgain(IdempotentWrites, APIView):
    """A piece of news told again."""

    scopes, capabilities = SCOPES, CAPABILITIES
    for_accounts = True

    @extend_schema(
        operation_id="webhooks_deliveries_again", request=None, responses={202: DeliveryOut}, parameters=[ONCE]
    )
    def post(self, request: Request, key: int, delivery: int) -> Response:
        """Tell it again, in the same words and under the same id."""
        read(NothingIn, request)
        found = _find(request, key).deliveries.filter(pk=delivery)
        if not found.exists():
            raise NotFound("This webhook was told no such thing.")
        endpoints.send_again(found, actor=principal(request).actor)
        return Response(DeliveryOut(found.select_related("message").get()).data, status=202)


def _visible(who: Principal) -> QuerySet[WebhookEndpoint]:
    found = WebhookEndpoint.objects.filter(removed_at=None).select_related("account")
    return found if who.account is None else found.filter(account=who.account)


def _find(request: Request, key: int) -> WebhookEndpoint:
    found = _visible(principal(request)).filter(pk=key).first()
    if found is None:
        raise NotFound("There is no such webhook, or it is not yours.")
    return found


def _account(who: Principal, code: str | None) -> Account | None:
    """Return whose news are meant: a key's own account's, for staff that of a code or everybody's."""
    if who.account is not None:
        if code not in (None, who.account.code):
            raise NotFound(f"There is no account {code!r:.60}, or it is not yours.")
        return who.account
    return registering.find(code) if code else None
