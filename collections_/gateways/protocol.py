"""What a payment gateway must do for us, whichever it is."""

from collections.abc import Mapping
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
class Refunded:
    """The gateway gave the money back; ``refund_id`` is its own name for it, unique and constant."""

    refund_id: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """The gateway knows nothing of the key: it took no money for it."""


@dataclass(frozen=True, slots=True)
class Event:
    """A message of the gateway: ``about`` is the key of a charge, or the gateway's name of a dispute."""

    id: str
    kind: str  # charge.settled, dispute.opened; whatever else is stored and left alone
    about: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """Money of a charge that the payer's bank took back."""

    charge_id: str
    amount: Decimal
    currency: str
    reason: str


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

    def refund(self, *, key: str, charge_id: str, amount: Decimal, currency: str) -> Refunded | Declined:
        """Give ``amount`` of a charge back once per ``key``: a repeat gets the first answer and moves no money.

        Raises NoAnswer when it is not known what happened, GatewayRefused when it cannot be sent like this.
        """
        ...

    def dispute(self, reference: str) -> Disputed | Unseen:
        """Return one dispute by the gateway's own name for it. Raises NoAnswer."""
        ...

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Return the event that ``body`` is, if the gateway signed it and it can be read; else raise Invalid."""
        ...

    def parse_event(self, body: bytes) -> Event:
        """Return the event that ``body`` is, whose signature was checked when it came. Raises Invalid."""
        ...

    def find(self, charge_id: str) -> Charged | Unseen:
        """Return one charge by the gateway's own name for it. Raises NoAnswer."""
        ...
