"""Accounts for programs: the platform registers them and keeps their details; an account's key sees itself."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import registering
from accounts.authentication import principal
from accounts.models import Account, AccountQuerySet
from core.api import IdempotentWrites
from core.errors import Invalid, NotFound


class AccountSerializer(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = [
            "code",
            "name",
            "kind",
            "currency",
            "email",
            "address",
            "country",
            "region",
            "tax_id",
            "tax_exempt",
            "payment_terms_days",
            "delivery",
            "created_at",
            "closed_at",
        ]
        read_only_fields = ["created_at", "closed_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "code": {"validators": []}
        }  # the verb knows who has it, and answers 409


class AccountChangeSerializer(AccountSerializer):
    """What may change of an account."""

    class Meta(AccountSerializer.Meta):
        read_only_fields = ["code", "currency", "created_at", "closed_at"]


def _visible(request: Request) -> AccountQuerySet:
    mine = principal(request).account
    return Account.objects.filter(pk=mine.pk) if mine else Account.objects.all()


class AccountList(IdempotentWrites, ListAPIView[Account]):
    """List accounts, newest first; register one."""

    serializer_class = AccountSerializer
    scopes = {"GET": "accounts:read", "POST": "accounts:write"}
    capabilities = {"GET": "accounts.view", "POST": "accounts.edit"}
    for_accounts = True  # to read itself; accounts:write is not among an account's scopes

    def get_queryset(self) -> AccountQuerySet:
        """``?q=`` finds by code, name or e-mail."""
        return _visible(self.request).matching(self.request.query_params.get("q", ""))

    def post(self, request: Request) -> Response:
        """Register an account; a code that is taken is a 409."""
        given = AccountSerializer(data=request.data)
        _refuse_unknown(request.data, given)
        given.is_valid(raise_exception=True)
        account = registering.register(given.validated_data, actor=principal(request).actor)
        return Response(AccountSerializer(account).data, status=201)


class AccountDetail(IdempotentWrites, APIView):
    """One account by its code."""

    scopes = {"GET": "accounts:read", "PATCH": "accounts:write"}
    capabilities = {"GET": "accounts.view", "PATCH": "accounts.edit"}
    for_accounts = True

    @extend_schema(responses=AccountSerializer)
    def get(self, request: Request, code: str) -> Response:
        account = _visible(request).filter(code=code).first()
        if account is None:
            raise NotFound("There is no such account, or it is not yours.")
        return Response(AccountSerializer(account).data)

    @extend_schema(request=AccountChangeSerializer, responses=AccountSerializer)
    def patch(self, request: Request, code: str) -> Response:
        """Change details; code and currency never change, and a field that cannot be set is refused."""
        given = AccountChangeSerializer(data=request.data, partial=True)
        _refuse_unknown(request.data, given)
        given.is_valid(raise_exception=True)
        account = registering.change(code, given.validated_data, actor=principal(request).actor)
        return Response(AccountSerializer(account).data)


def _refuse_unknown(data: Any, serializer: serializers.Serializer[Any]) -> None:
    """Refuse what would be ignored, so that nobody believes they set it."""
    known = {name for name, field in serializer.fields.items() if not field.read_only}
    for name in sorted(set(data) - known) if isinstance(data, dict) else ():
        raise Invalid(f"{name!r:.60} cannot be set here.", field=str(name)[:60])
