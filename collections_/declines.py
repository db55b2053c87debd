"""Declines: what a gateway's refusal means for the next try."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class DeclineClass(StrEnum):
    """Whether trying again can help."""

    RETRYABLE = "retryable"  # later, with the same card
    NEEDS_CUSTOMER = "needs_customer"  # only after the customer has changed something
    NEVER_RETRY = "never_retry"  # never with this card: networks fine those who do


DECLINES: Final[Mapping[str, DeclineClass]] = {
    **dict.fromkeys(
        (
            "approve_with_id",
            "card_velocity_exceeded",
            "generic_decline",
            "insufficient_funds",
            "issuer_not_available",
            "processing_error",
            "reenter_transaction",
            "try_again_later",
            "withdrawal_count_limit_exceeded",
        ),
        DeclineClass.RETRYABLE,
    ),
    **dict.fromkeys(
        (
            "authentication_required",
            "call_issuer",
            "card_not_supported",
            "currency_not_supported",
            "do_not_honor",
            "expired_card",
            "incorrect_cvc",
            "incorrect_number",
            "invalid_account",
            "invalid_expiry",
            "new_account_information_available",
            "not_permitted",
        ),
        DeclineClass.NEEDS_CUSTOMER,
    ),
    **dict.fromkeys(
        (
            "closed_account",
            "do_not_retry",
            "fraudulent",
            "lost_card",
            "pickup_card",
            "restricted_card",
            "revocation_of_authorization",
            "stolen_card",
        ),
        DeclineClass.NEVER_RETRY,
    ),
}


def classify(code: str) -> DeclineClass:
    """Return the class of a decline code; an unknown one may be tried again, as the ladder allows."""
    return DECLINES.get(code, DeclineClass.RETRYABLE)
