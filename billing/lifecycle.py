"""The life of an invoice on one screen: which step leads from where to where. Pure; a database trigger agrees."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from core.errors import Conflict


class Status(StrEnum):
    """As ``InvoiceStatus``, which is the same words in the database."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class Step(StrEnum):
    """What can happen to an invoice as a whole."""

    ISSUE = "issue"
    SETTLE = "settle"  # nothing is outstanding any more
    REOPEN = "reopen"  # money that had settled it was taken back
    WRITE_OFF = "write off"
    VOID = "void"


TRANSITIONS: Final[Mapping[tuple[Status, Step], Status]] = {
    (Status.DRAFT, Step.ISSUE): Status.OPEN,
    (Status.OPEN, Step.SETTLE): Status.PAID,
    (Status.OPEN, Step.WRITE_OFF): Status.UNCOLLECTIBLE,
    (Status.OPEN, Step.VOID): Status.VOID,
    (Status.UNCOLLECTIBLE, Step.SETTLE): Status.PAID,
    (Status.UNCOLLECTIBLE, Step.VOID): Status.VOID,
    (Status.PAID, Step.REOPEN): Status.OPEN,
}


def after(status: str, step: Step) -> Status:
    """Return the status that ``step`` leads to; raise Conflict when it does not lead anywhere from here."""
    try:
        return TRANSITIONS[Status(status), step]
    except KeyError:
        raise Conflict(f"An invoice that is {status} cannot be changed by: {step}.") from None
