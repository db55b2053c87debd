"""Months and half-open spans of UTC time: what is billed is always ``[start, end)``."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.errors import Invalid

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


NO_OFFSET = timedelta(0)


class InvalidMonth(Invalid):
    """Text that does not name a calendar month."""

    code = "invalid_month"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open span of UTC time; ``start`` belongs to it, ``end`` does not.

    Another zone's clock is refused: subtracting two of its times ignores a change to summer time.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.utcoffset() != NO_OFFSET or self.end.utcoffset() != NO_OFFSET:
            raise ValueError(f"not in UTC: {self.start} .. {self.end}")
        if self.start >= self.end:
            raise ValueError(f"empty span: {self.start} .. {self.end}")

    @property
    def seconds(self) -> Decimal:
        """The exact length in seconds, to the microsecond."""
        return exact_seconds(self.end - self.start)

    def intersection(self, other: "Span") -> "Span | None":
        """Return the part common to both, or None when they do not overlap."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month in UTC: the period of a run and of its invoices."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (2000 <= self.year <= 2199 and 1 <= self.number <= 12):
            raise InvalidMonth(
                f"{self.year:04d}-{self.number:02d} is not a month from 2000-01 to 2199-12", field="month"
            )

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read ``YYYY-MM``; raise InvalidMonth for anything else."""
        found = _MONTH.fullmatch(text.strip())
        if not found:
            raise InvalidMonth(f"{text!r} is not a month; write it as YYYY-MM, for example 2026-10", field="month")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def containing(cls, moment: date) -> "Month":
        """Return the month of a UTC date or datetime."""
        return cls(moment.year, moment.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after the month; the last month that exists has one too."""
        return datetime(self.year + self.number // 12, self.number % 12 + 1, 1, tzinfo=UTC)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    @property
    def seconds(self) -> int:
        """The month's actual number of seconds: the denominator of proration."""
        return (self.end - self.start).days * 86_400

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def exact_seconds(length: timedelta) -> Decimal:
    """Return a duration in seconds without passing through a float."""
    seconds = length.days * 86_400 + length.seconds
    if not length.microseconds:
        return Decimal(seconds)
    return Decimal(seconds * 1_000_000 + length.microseconds).scaleb(-6).normalize()
