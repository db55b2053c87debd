"""Aggregation: how many measured values of a period become the one quantity that is priced. Order never matters."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from core.exact import EXACT, ZERO
from core.money import total
from core.periods import Span, exact_seconds

Sample = tuple[datetime, Decimal]


def summed(samples: Iterable[Sample]) -> Decimal:
    """Return the exact sum of all values."""
    return total(value for _, value in samples)


def maximum(samples: Iterable[Sample]) -> Decimal:
    """Return the largest value; zero when there is none."""
    return max((value for _, value in samples), default=ZERO)


def latest(samples: Iterable[Sample]) -> Decimal:
    """Return the value with the latest time; of several at one time the largest, so that order decides nothing."""
    return max(samples, default=(None, ZERO))[1]


def unique(keys: Iterable[str]) -> Decimal:
    """Return how many different keys there were."""
    return Decimal(len(set(keys)))


def unit_seconds(samples: Iterable[Sample], span: Span, before: Decimal = ZERO) -> Decimal:
    """Return the integral over ``span`` of a level that holds until the next sample, in units × seconds.

    ``before`` is the level at the start of the span; a sample before the span sets it, one after it is ignored.
    Of several samples at one time the largest counts.
    """
    level, since, area = before, span.start, ZERO
    for moment, value in _changes(samples):
        if moment >= span.end:
            break
        if moment > since:
            area = EXACT.add(area, EXACT.multiply(level, exact_seconds(moment - since)))
            since = moment
        level = value
    return EXACT.add(area, EXACT.multiply(level, exact_seconds(span.end - since)))


def time_weighted(samples: Iterable[Sample], span: Span, before: Decimal = ZERO) -> Fraction:
    """Return the exact average level over ``span``, each level weighing as long as it held."""
    return Fraction(unit_seconds(samples, span, before)) / Fraction(span.seconds)


def _changes(samples: Iterable[Sample]) -> Sequence[Sample]:
    """Sort by time and keep the largest value of each time."""
    largest: dict[datetime, Decimal] = {}
    for moment, value in samples:
        largest[moment] = max(value, largest.get(moment, value))
    return sorted(largest.items())
