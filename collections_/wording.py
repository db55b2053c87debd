"""What codes mean in words that a person on the telephone can use. Pure."""

from collections.abc import Mapping
from typing import Final

from collections_.declines import DeclineClass

DECLINES: Final[Mapping[str, str]] = {
    "insufficient_funds": "Not enough money on the card",
    "generic_decline": "The bank declined without a reason",
    "do_not_honor": "The bank declined; the customer must ask it",
    "do_not_retry": "The bank said never to try this card again",
    "expired_card": "The card has expired",
    "stolen_card": "The card was reported stolen",
    "lost_card": "The card was reported lost",
    "authentication_required": "The customer must confirm the payment at the bank",
    "not_charged": "Nothing was charged, as a person found out",
}
CLASSES: Final[Mapping[str, str]] = {
    DeclineClass.RETRYABLE: "will be tried again",
    DeclineClass.NEEDS_CUSTOMER: "the customer must act first",
    DeclineClass.NEVER_RETRY: "this card must never be tried again",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "created": "waits to be sent",
    "submitting": "at the gateway",
    "succeeded": "captured",
    "declined": "declined",
    "unknown": "no answer yet; the gateway is being asked",
    "manual": "no answer; a person must ask the gateway",
    "cancelled": "not sent: the debt had changed",
}


def decline(code: str) -> str:
    """Say why a charge was declined."""
    return DECLINES.get(code) or code.replace("_", " ").capitalize()


def why(code: str, decline_class: str) -> str:
    """Say why a charge was declined and what that means for the next; empty when it was not declined."""
    if not code:
        return ""
    what_next = CLASSES.get(decline_class, "")
    return f"{decline(code)}; {what_next}" if what_next else decline(code)


def actor(name: str) -> str:
    """Say who acted, as people know each other: the address of a person, the name of a program."""
    kind, _, rest = name.partition(":")
    return rest if kind in ("user", "key") and rest else {"system": "Vault"}.get(kind, name)
