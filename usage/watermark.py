"""The watermark of a source: everything that happened before it has arrived, as far as the source has told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from core.sql import load
from usage import health, store
from usage.manifests import HOUR
from usage.models import HourFold, Manifest, Source, SourceState

BACK: Final = timedelta(days=62)  # how far back manifests are compared: two months, the longest that a close looks
STATED: Final = "manifests"
HEARD: Final = "heard"
NEVER: Final = "never heard"


class Watermark(NamedTuple):
    """``until`` is None when nothing was ever heard; ``basis`` says what it rests on.

    ``manifests``: the last hour up to which every manifest agrees with what was received, without a gap.
    ``heard``: the source sends no manifests; when it was last heard, less the time its contract lets it be late.
    """

    until: datetime | None
    basis: str

    def confirms(self, moment: datetime) -> bool:
        """Say whether everything before ``moment`` has arrived."""
        return self.until is not None and self.until >= moment


def of(source: Source, *, now: datetime) -> Watermark:
    """Return the watermark of one source."""
    return of_all([source], now=now)[source.pk]


def of_all(sources: Sequence[Source], *, now: datetime) -> dict[int, Watermark]:
    """Return the watermark of each source, by its row. Reads totals only, whatever the number of events."""
    stated = _stated([source.pk for source in sources], _last(now))
    return {source.pk: _watermark(source, stated.get(source.pk)) for source in sources}


def lately(sources: Sequence[Source], *, now: datetime) -> dict[int, Watermark]:
    """Return the same, remembered by this process until a manifest comes or the totals move on: a minute old at most.

    For what is asked again and again, of all sources at once; a month is never closed on it.
    """
    newest = Manifest.objects.order_by("-id").values_list("id", "received_at").first()
    folded = HourFold.objects.values_list("until", flat=True).first()
    stated = _remembered(tuple(source.pk for source in sources), _last(now), newest, folded)
    return {source.pk: _watermark(source, stated.get(source.pk)) for source in sources}


@lru_cache(maxsize=4)
def _remembered(
    sources: tuple[int, ...], last: datetime, newest: tuple[int, datetime] | None, folded: datetime | None
) -> dict[int, datetime]:
    return _stated(sources, last) if newest else {}


def _last(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + HOUR  # an hour may be stated a moment before it is over


def _stated(sources: Sequence[int], last: datetime) -> dict[int, datetime]:
    named = {"first": last - BACK, "last": last, "sources": list(sources)}
    with store.cursor() as cursor:
        return dict(cursor.execute(load("usage", "reconcile_watermarks").encode(), named).fetchall())


def waited_for(moment: datetime, *, now: datetime) -> list[tuple[Source, Watermark]]:
    """Return who has not confirmed that everything before ``moment`` has arrived, and up to where they have.

    Waited for is whoever something is expected of: not a revoked source, and not one that was made after ``moment``
    and was never heard. A paused one is: what it keeps meanwhile may belong to the time before.
    """
    found = Source.objects.expected().exclude(state=SourceState.REVOKED)
    expected = [one for one in found if one.created_at < moment or health.last_heard(one) is not None]
    marks = of_all(expected, now=now)
    return [(one, marks[one.pk]) for one in expected if not marks[one.pk].confirms(moment)]


def _watermark(source: Source, stated: datetime | None) -> Watermark:
    if stated is not None:
        return Watermark(stated, STATED)
    heard = health.last_heard(source)
    if heard is None:
        return Watermark(None, NEVER)
    return Watermark(heard - timedelta(seconds=source.lateness_seconds), HEARD)
