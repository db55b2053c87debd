"""Read sources' own feeds: claim one by its lease, store page after page, and give it back.

A page's events and the cursor behind them are committed together, by whoever still holds the fence it claimed
with. A reader that dies therefore leaves the feed exactly where its last page ended, and one that slept past its
lease stores nothing. Any number of readers may work at once.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError

from core import bell, clock, databases, leases
from core.failpoints import failpoint
from core.sql import load
from usage import feed as pages
from usage import feeds, fetching, intake, sources, store
from usage.feed import FeedBroken, Page
from usage.models import Feed, SourceState

COLLECT_TASK: Final = "usage.collecting.collect"
CLUSTER: Final = "mail"  # the workers that wait for others
_ENOUGH_RINGING: Final = 2  # messages; each makes a worker read all there is
LEASE_SECONDS: Final = 120  # longer than a page may take to come and be stored
TURN_SECONDS: Final = 20  # of one feed before another has its turn
SHORTEST_PAUSE: Final = 10  # seconds after the first failure; it doubles with each
LONGEST_PAUSE: Final = 300


@dataclass(slots=True)
class Collected:
    """What a reading brought: how many feeds had a turn, how many failed, and what became of the events."""

    feeds: int = 0
    failed: int = 0
    pages: int = 0
    accepted: int = 0
    duplicate: int = 0
    refused: int = 0

    def count(self, answer: intake.Answer) -> None:
        self.pages += 1
        self.accepted += answer.accepted
        self.duplicate += answer.duplicate
        self.refused += answer.conflict + answer.rejected


def collect_waiting(*, seconds: float, stopped: Callable[[], bool] = lambda: False) -> Collected:
    """Give every feed that is due its turn, for ``seconds`` at most; ``stopped`` ends it after the page at hand.

    Safe to repeat and to run beside itself: what was read before is a duplicate, and a feed has one reader.
    """
    done, until = Collected(), time.monotonic() + seconds
    while time.monotonic() < until and not stopped():
        claimed = leases.claim(Feed, seconds=LEASE_SECONDS)
        if not claimed:
            if leases.due(Feed):  # the one that was next has just been given up
                continue
            break
        _turn(claimed[0], done, until=min(until, time.monotonic() + TURN_SECONDS), stopped=stopped)
    return done


def collect() -> int:
    """Read the feeds that are due for as long as one turn; what workers call. Return how many events were new."""
    return collect_waiting(seconds=TURN_SECONDS).accepted


def sweep() -> None:
    """Ring for feeds whose next reading has come; a repeat rings a few more times at most."""
    if bell.waiting(CLUSTER) < _ENOUGH_RINGING and leases.due(Feed):
        bell.ring(COLLECT_TASK, cluster=CLUSTER)


def _turn(feed: Feed, done: Collected, *, until: float, stopped: Callable[[], bool]) -> None:
    """Read one claimed feed to its end, or until its time is up."""
    done.feeds += 1
    try:
        _read(feed, done, until, stopped)
    except leases.LeaseLost:
        return
    except (FeedBroken, DatabaseError) as error:
        done.failed += 1
        wait = error.wait_seconds if isinstance(error, FeedBroken) else 0
        _release(feed, wait_seconds=wait, error=_sentence(error))


def _read(feed: Feed, done: Collected, until: float, stopped: Callable[[], bool]) -> None:
    seen = {feed.cursor}
    while feed.source.state == SourceState.ACTIVE:
        page = _next(feed)
        failpoint("collecting.after_read")
        if page is not None and page.cursor != feed.cursor:
            if page.cursor in seen:
                raise FeedBroken("The feed's `next` went back to a cursor it gave out before; nothing was stored.")
            seen.add(page.cursor)
            done.count(_store(feed, page))
        if page is None or not page.more:
            sources.heartbeat(feed.source)
            _release(feed, wait_seconds=feed.every_seconds, caught_up=True)
            return
        if time.monotonic() >= until or stopped():
            _release(feed, wait_seconds=0)
            return
    _release(feed, wait_seconds=feed.every_seconds)  # its source takes nothing at present


def _next(feed: Feed) -> Page | None:
    """Return the next page, cut before the first event within the margin; None when there is nothing before it."""
    margin = timedelta(seconds=feed.margin_seconds)
    settled = clock.database_now(databases.usage()) - margin
    ahead = margin + timedelta(seconds=feed.source.future_seconds)
    page = _page(feed, feed.page_size)
    young = page.young(settled, ahead=ahead)
    if not young:
        return None if young == 0 else page
    page = _page(feed, young)
    if page.young(settled, ahead=ahead) is not None:
        raise FeedBroken("The feed put a new event in front of settled ones while it was read; raise its margin.")
    return page.last()


def _page(feed: Feed, limit: int) -> Page:
    url = pages.address(feed.url, after=feed.cursor, limit=limit, min_age=feed.margin_seconds)
    body = fetching.get(url, token=_token(feed), public_only=settings.FEEDS_PUBLIC_ONLY)
    return pages.page(body, after=feed.cursor, limit=limit)


def _token(feed: Feed) -> str:
    name = feeds.token_name(feed.source.name)
    token = os.environ.get(name, "").strip()
    if not (token.isascii() and token.isprintable()):  # said here, for the library's own words would quote it
        raise FeedBroken(f"{name} holds characters that no token has; set it anew.")
    return token


def _store(feed: Feed, page: Page) -> intake.Answer:
    """Commit a page's events and the cursor behind them, or neither; raise LeaseLost when the fence moved on."""
    with store.writing() as cursor:
        _advance(cursor, feed, page)
        answer = intake.accept(feed.source, page.batch) if page.size else intake.Answer()
        failpoint("collecting.before_commit")
    feed.cursor = page.cursor
    failpoint("collecting.after_commit")
    return answer


def _advance(cursor: store.Cursor, feed: Feed, page: Page) -> None:
    named = {"feed": feed.pk, "fence": feed.fence, "next": page.cursor, "lease_seconds": LEASE_SECONDS}
    if not cursor.execute(load("usage", "advance_feed").encode(), named).fetchall():
        raise leases.LeaseLost(f"{feed} has another reader by now, or was paused; this page is left to it.")


def _release(feed: Feed, *, wait_seconds: int, caught_up: bool = False, error: str = "") -> None:
    named = {"feed": feed.pk, "fence": feed.fence, "wait_seconds": wait_seconds, "caught_up": caught_up, "error": error}
    pauses = {"shortest": SHORTEST_PAUSE, "longest": LONGEST_PAUSE}
    with store.writing() as cursor:
        cursor.execute(load("usage", "release_feed").encode(), named | pauses)


def _sentence(error: Exception) -> str:
    text = str(error) if isinstance(error, FeedBroken) else leases.reason(error)
    return text.replace("\0", "")[:2000]
