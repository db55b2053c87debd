"""What a source reports: one event as Vault understands it, what makes two of them the same, and what refuses one."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from core.money import plain

OPEN: Final = "open"
CLOSE: Final = "close"
MEASURED: Final = "measured"
GAUGE: Final = "gauge"
TYPES: Final = (OPEN, CLOSE, MEASURED, GAUGE)
WITH_QUANTITY: Final = frozenset({MEASURED, GAUGE})
DURATION: Final = "duration"  # the meter of opens and closes that name none
FIELDS: Final = ("id", "type", "time", "resource", "product", "app", "account", "meter", "component", "quantity")
LIMITS: Final = {"id": 200, "resource": 200, "product": 200, "app": 200, "account": 200, "meter": 100, "component": 100}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST: Final = Decimal(10) ** 18  # quantities are below it
PLACES: Final = 12


class ReportedEvent(msgspec.Struct, frozen=True, gc=False):
    """A well-formed event. ``time`` is UTC; ``quantity`` is there exactly when ``type`` is measured or gauge.

    ``index`` is its place in the batch. Empty texts mean that the source did not say.
    """

    index: int
    id: str
    type: str
    time: datetime
    resource: str
    product: str
    meter: str
    component: str
    app: str
    account: str
    quantity: Decimal | None

    def digest(self) -> bytes:
        """Return the SHA-256 of what the event says: two with one id are the same exactly when these agree.

        The form of writing does not count: 1.50 is 1.5, and 02:00+02:00 is 00:00Z. No text contains a NUL.
        """
        number = "" if self.quantity is None else plain(self.quantity)
        since = self.time - EPOCH
        said = (
            f"{self.type}\0{since.days}\0{since.seconds}\0{since.microseconds}\0{self.resource}\0{self.product}"
            f"\0{self.meter}\0{self.component}\0{self.app}\0{self.account}\0{number}"
        )
        return hashlib.sha256(said.encode()).digest()

    def text(self) -> str:
        """Return the event as JSON, as a source would send it: what is left out was not said."""
        said = {name: value for name in FIELDS if (value := getattr(self, name)) not in ("", None)}
        if self.quantity is not None:
            said["quantity"] = plain(self.quantity)
        return msgspec.json.encode(said).decode()


class Refusal(msgspec.Struct, frozen=True):
    """Why one event of a batch was not accepted. ``code`` is stable; ``detail`` is a sentence.

    ``body`` is the event as received or, when it could be read, as it was understood.
    """

    index: int
    id: str
    code: str
    field: str
    detail: str
    body: str


class Batch(msgspec.Struct, frozen=True):
    """A request that could be read: its well-formed events, and what was refused at sight."""

    events: list[ReportedEvent]
    refused: list[Refusal]

    @property
    def size(self) -> int:
        return len(self.events) + len(self.refused)


def utc(moment: datetime) -> datetime:
    """Return an aware moment in UTC; one that UTC cannot write (year 0 or 10000) raises OverflowError."""
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
