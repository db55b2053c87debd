"""Business days: Monday to Friday without the holidays given; banks answer on no others."""

from collections.abc import Collection
from datetime import date, timedelta

SATURDAY = 5
ONE_DAY = timedelta(days=1)


def is_business_day(day: date, holidays: Collection[date] = ()) -> bool:
    """Say whether banks work on ``day``."""
    return day.weekday() < SATURDAY and day not in holidays


def add_business_days(day: date, count: int, holidays: Collection[date] = ()) -> date:
    """Return the ``count``-th business day after ``day``; zero means that day, or the next business day."""
    while not is_business_day(day, holidays):
        day += ONE_DAY
    for _ in range(count):
        day += ONE_DAY
        while not is_business_day(day, holidays):
            day += ONE_DAY
    return day
