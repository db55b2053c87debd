"""Months and spans: half-open, in UTC, and exact to the microsecond."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from core.periods import InvalidMonth, Month, Span, exact_seconds

ALL = [Month(year, number) for year in range(2000, 2200) for number in range(1, 13)]


class TestMonth:
    @pytest.mark.parametrize("text", ["2026-10", " 2026-10\n"])
    def test_is_read_from_text(self, text: str) -> None:
        assert Month.parse(text) == Month(2026, 10)
        assert str(Month(2026, 10)) == "2026-10"

    @pytest.mark.parametrize(
        "text",
        ["", "2026", "2026-1", "2026-13", "2026-00", "1999-12", "2200-01", "10-2026", "２０２６-10", "2026-10-01"],
    )
    def test_is_not_read_from_anything_else(self, text: str) -> None:
        with pytest.raises(InvalidMonth, match="is not a month"):
            Month.parse(text)

    def test_has_its_actual_seconds(self) -> None:
        assert all(month.seconds == monthrange(month.year, month.number)[1] * 86_400 for month in ALL)

    def test_meets_its_neighbours(self) -> None:
        for earlier, later in pairwise(ALL):
            assert earlier.end == later.start
            assert (earlier.next, later.previous) == (later, earlier)

    def test_the_last_one_ends_too(self) -> None:
        assert Month(2199, 12).end == datetime(2200, 1, 1, tzinfo=UTC)

    def test_contains_its_days(self) -> None:
        assert (
            Month.containing(date(2026, 10, 31))
            == Month.containing(datetime(2026, 10, 1, tzinfo=UTC))
            == Month(2026, 10)
        )

    def test_sorts_by_time(self) -> None:
        assert sorted([Month(2027, 1), Month(2026, 12)]) == [Month(2026, 12), Month(2027, 1)]


class TestSpan:
    OCTOBER = Month(2026, 10).span

    def test_keeps_its_start_and_gives_its_end_away(self) -> None:
        second = timedelta(seconds=1)
        assert self.OCTOBER.intersection(Span(self.OCTOBER.end, self.OCTOBER.end + second)) is None
        found = self.OCTOBER.intersection(Span(self.OCTOBER.start - second, self.OCTOBER.start + second))
        assert found == Span(self.OCTOBER.start, self.OCTOBER.start + second)

    def test_is_never_empty(self) -> None:
        with pytest.raises(ValueError, match="empty span"):
            Span(self.OCTOBER.end, self.OCTOBER.end)

    def test_refuses_times_without_a_zone_or_of_another(self) -> None:
        """March 2026 in Berlin has a missing hour; subtracting its wall clocks would not notice."""
        berlin = ZoneInfo("Europe/Berlin")
        for zone in (None, berlin):
            with pytest.raises(ValueError, match="not in UTC"):
                Span(datetime(2026, 3, 1, tzinfo=zone), datetime(2026, 4, 1, tzinfo=zone))
        with pytest.raises(ValueError, match="not in UTC"):
            Span(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=berlin))

    def test_accepts_utc_by_any_name(self) -> None:
        assert (
            Span(datetime(2026, 3, 1, tzinfo=ZoneInfo("UTC")), datetime(2026, 4, 1, tzinfo=UTC)).seconds == 31 * 86_400
        )


@pytest.mark.parametrize(
    ("length", "seconds"),
    [
        (timedelta(), "0"),
        (timedelta(days=31), "2678400"),
        (timedelta(microseconds=1), "0.000001"),
        (timedelta(seconds=-1, microseconds=-500_000), "-1.5"),
        (timedelta(days=999_999_999, microseconds=1), "86399999913600.000001"),
    ],
)
def test_exact_seconds_pass_through_no_float(length: timedelta, seconds: str) -> None:
    assert exact_seconds(length) == Decimal(seconds)
