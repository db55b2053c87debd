"""How a program's request is read: what it does not say is asked for, and what nobody knows is refused."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

# For the description of a write that honours it.
ONCE: Final = OpenApiParameter(
    "Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER, description="A repeat with it is answered, not done."
)


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not have, so that nobody believes they set them."""

    def to_internal_value(self, data: Any) -> Any:
        """Read the fields; name every unknown one."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({name[:60]: ["This is not a field of the request."] for name in unknown})
        return super().to_internal_value(data)


class ReasonIn(StrictSerializer):
    """Why; it stays in the history."""

    reason = serializers.CharField(max_length=500)


class NothingIn(StrictSerializer):
    """A request that says nothing more than its address."""


def read(form: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Return what the body says as ``form`` reads it, or raise a ValidationError that names every wrong field."""
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
