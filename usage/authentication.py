"""How a source proves who it is: its own secret, which reports usage and sees nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from accounts.authentication import ApiKeyAuthentication, HasScope, Principal
from usage import sources
from usage.models import Source
from usage.models.source import EVENTS

if TYPE_CHECKING:  # the framework loads this module while it loads its views
    from rest_framework.views import APIView

REFUSED: Final = (
    "This secret is unknown, expired or revoked; make a new one with `manage.py create_source NAME --rotate`."
)


@dataclass(frozen=True, slots=True)
class Reporter(Principal):
    """A source that calls."""

    source: Source | None = None


def secret_of(header: str) -> str:
    """Return what follows ``Bearer`` in an Authorization header, else nothing."""
    scheme, _, text = header.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


class SourceAuthentication(authentication.BaseAuthentication):
    """Let a source's secret in that is good for what the view ``reports``; leave any other key to the next."""

    def authenticate(self, request: Request) -> tuple[Reporter, Source] | None:
        text = secret_of(request.headers.get("Authorization", ""))
        if not text.startswith("vs_"):
            return None
        source = sources.authenticate(text, getattr(request.parser_context.get("view"), "reports", EVENTS))
        if source is None:
            raise exceptions.AuthenticationFailed(REFUSED)
        return Reporter(f"source:{source.name}", frozenset({"usage:write"}), source=source), source

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="vault"'


class MayReport(HasScope):
    """A source may; so may a staff key with the view's scope and capability."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, Reporter) or super().has_permission(request, view)


class IsSource(permissions.BasePermission):
    """Only a source may."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, Reporter)


REPORTERS: Final = [SourceAuthentication, ApiKeyAuthentication]


class SourceSecretScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer SECRET``."""

    target_class = "usage.authentication.SourceAuthentication"
    name = "SourceSecret"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
