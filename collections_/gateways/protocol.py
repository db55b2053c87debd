"""What a payment gateway must do for us, whichever it is."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Charged:
    """The gateway captured the money; ``charge_id`` is its own name for it, unique and constant."""

    charge_id: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The gateway took no money and said so; ``code`` is a word of ``collections_.dunning``'s decline table."""

    code: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """The gateway knows nothing of the key: it took no money for it."""


class NoAnswer(Exception):
    """The gateway did not answer, or not in a form that can be read: money may or may not have moved."""


class GatewayRefused(Exception):
    """The gateway refused the request itself (a key used for another amount): a person must look."""


class Gateway(Protocol):
    """Stateless; never touches our database. Every call ends within 20 seconds, if need be by NoAnswer."""

    name: str
    remembers: timedelta  # for how long a key can be looked up and sent again without a second charge

    def charge(self, *, key: str, amount: Decimal, currency: str, token: str, description: str) -> Charged | Declined:
        """Capture ``amount`` once per ``key``: a repeat gets the first answer and moves no money.

        Raises NoAnswer when it is not known what happened, GatewayRefused when it cannot be sent like this.
        """
        ...

    def lookup(self, key: str) -> Charged | Declined | Unseen:
        """Return what became of ``key``, without moving money. Raises NoAnswer."""
        ...

    def find(self, charge_id: str) -> Charged | Unseen:
        """Return one charge by the gateway's own name for it. Raises NoAnswer."""
        ...
