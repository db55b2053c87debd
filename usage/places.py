"""Where a page of events ends, as a text that goes into an address: direction, moment and row. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.errors import Invalid

OLDER: Final = "older"
NEWER: Final = "newer"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
BEYOND_ALL_ROWS: Final = 2**63 - 1
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_TEXT: Final = re.compile(r"(older|newer)\.(-?[0-9]{1,17})\.([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of (time, id), and the direction in which a page goes on from it, itself excluded."""

    direction: str
    time: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.direction}.{(self.time - EPOCH) // MICROSECOND}.{self.id}"


BEGINNING: Final = Place(OLDER, LATEST, 0)  # the newest page


def read(text: str) -> Place:
    """Return the place that ``str`` wrote; an empty text is the newest page. Raises Invalid for another's."""
    if not text:
        return BEGINNING
    found = _TEXT.fullmatch(text)
    if found:
        direction, micro, row = found[1], int(found[2]), int(found[3])
        low, high = (EARLIEST - EPOCH) // MICROSECOND, (LATEST - EPOCH) // MICROSECOND
        if low <= micro <= high and row <= BEYOND_ALL_ROWS:
            return Place(direction, EPOCH + micro * MICROSECOND, row)
    raise Invalid("cursor is what the page before ended with; leave it out for the newest events.", field="cursor")
