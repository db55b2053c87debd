"""Payment gateways behind one small protocol; an adapter is one module and one line of the table below."""

from collections.abc import Callable, Mapping
from typing import Final

from collections_.gateways import sandbox
from collections_.gateways.protocol import (
    Charged,
    Declined,
    Disputed,
    Event,
    Gateway,
    GatewayRefused,
    NoAnswer,
    Refunded,
    Unseen,
)
from core.errors import NotFound

__all__ = [
    "Charged",
    "Declined",
    "Disputed",
    "Event",
    "Gateway",
    "GatewayRefused",
    "NoAnswer",
    "Refunded",
    "Unseen",
    "named",
]

ADAPTERS: Final[Mapping[str, Callable[[], Gateway]]] = {"sandbox": sandbox.from_settings}


def named(name: str) -> Gateway:
    """Return the gateway that a payment method names; an unknown name raises NotFound."""
    try:
        return ADAPTERS[name]()
    except KeyError:
        raise NotFound(f"There is no payment gateway {name!r}; there are: {', '.join(sorted(ADAPTERS))}") from None
