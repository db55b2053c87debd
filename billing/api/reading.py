"""How the books read what programs send and write what they read: exactly, and ignoring nothing."""

from collections.abc import Mapping
from functools import reduce
from typing import IO, Any

from rest_framework import parsers, serializers

from billing import quoting
from core.money import plain, round_to_minor_unit


class ExactJSONParser(parsers.BaseParser):
    """JSON without floats, NaN or a key that appears twice; a mistake is an Invalid with a sentence."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return quoting.decode(stream.read(quoting.LARGEST_REQUEST + 1))


class CoinsField(serializers.CharField):
    """An amount as text with the digits of its currency; ``currency`` is an attribute of the same object."""

    def __init__(self, *, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)
        self.currency = currency.split(".")

    def get_attribute(self, instance: Any) -> str | None:
        """Return the amount as text, None when there is none."""
        amount: Any = super().get_attribute(instance)
        currency = reduce(getattr, self.currency, instance)
        return None if amount is None else f"{round_to_minor_unit(amount, currency):f}"


class PlainField(serializers.CharField):
    """A decimal as text, without zeros that say nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return plain(value.normalize()) if value else "0"


class AmountOut(serializers.Serializer[Any]):
    """What some invoices of one currency come to."""

    currency = serializers.CharField()
    invoices = serializers.IntegerField()
    total = CoinsField()
