"""Which sources are read by their own feed: set, begun anew, tried again, removed; each change is signed."""

import re
from typing import Any, Final

from core import clock, databases, outgoing
from core.errors import Invalid, NotFound
from core.formatting import iso
from core.models import WorkState
from usage.feed import LONGEST_CURSOR
from usage.models import Feed, Source
from usage.sources import note, signed

LARGEST_PAGE: Final = 10_000
LONGEST: Final = 86_400  # seconds, of a margin or a pause


def of(source: Source) -> Feed:
    """Return the source's feed; raise NotFound when it is waited for and not read."""
    found = Feed.objects.filter(source=source).first()
    if found is None:
        raise NotFound(f"{source.name} has no feed. Give it one with `manage.py feed {source.name} --url URL`.")
    return found


def token_name(source: str) -> str:
    """Return the environment variable that holds the token of a source's feed; it is never stored."""
    return "VAULT_FEED_TOKEN_" + re.sub(r"[^A-Z0-9]", "_", source.upper())


def standing(feed: Feed) -> dict[str, Any]:
    """Say for programs how a feed stands: its terms, how far it was read and when, and what went wrong last."""
    moments = {name: iso(at) if (at := getattr(feed, name)) else None for name in ("cursor_at", "caught_up_at")}
    state = {name: getattr(feed, name) for name in ("state", "failures", "last_error")}
    return _terms(feed) | moments | state


def put(source: Source, *, actor: str, cursor: str | None = None, **terms: Any) -> Feed:
    """Set a source's feed: ``url``, ``page_size``, ``margin_seconds``, ``every_seconds``; what is left out stays.

    ``cursor`` begins anew behind it (empty: at the beginning), which is harmless. Whoever reads at this moment loses
    its lease. Repeatable. Raises Invalid.
    """
    terms = {name: value for name, value in terms.items() if value is not None}
    with signed(actor):
        feed = Feed.objects.select_for_update().filter(source=source).first()
        before = _terms(feed) if feed else {}
        feed = feed or Feed(source=source)
        for name, value in terms.items():
            setattr(feed, name, value)
        if cursor is not None:
            feed.cursor, feed.cursor_at, feed.caught_up_at = cursor, None, None
        _check(feed)
        _begin(feed)
        note(actor, source, "update", {"feed": before} if before else {}, {"feed": _terms(feed)})
    return feed


def try_again(source: Source, *, actor: str) -> Feed:
    """Read a feed now that was given up or that waits. A repeat reads it once more."""
    of(source)
    return put(source, actor=actor)


def remove(source: Source, *, actor: str, reason: str = "") -> None:
    """Read the source's feed no more; what it brought stays, and the audit trail keeps where it stood."""
    with signed(actor, reason):
        feed = of(source)
        note(actor, source, "update", {"feed": _terms(feed)}, {"feed": None}, reason)
        feed.delete()


def _terms(feed: Feed) -> dict[str, Any]:
    return {name: getattr(feed, name) for name in ("url", "page_size", "margin_seconds", "every_seconds", "cursor")}


def _begin(feed: Feed) -> None:
    """Make the feed due now; the fence moves on, so that a reader of the old terms stores nothing more."""
    feed.state, feed.lease_until, feed.last_error = WorkState.READY, None, ""
    feed.attempts, feed.failures, feed.fence = 0, 0, feed.fence + 1
    feed.run_after = clock.database_now(databases.usage())
    feed.save()


def _check(feed: Feed) -> None:
    if why := outgoing.refusal(feed.url):
        raise Invalid(why, field="url")
    if not 1 <= feed.page_size <= LARGEST_PAGE:
        raise Invalid(f"A page has 1 to {LARGEST_PAGE:,} events.", field="page_size")
    if not 1 <= feed.every_seconds <= LONGEST:
        raise Invalid(f"A feed is read every 1 to {LONGEST:,} seconds.", field="every_seconds")
    late = feed.source.lateness_seconds
    if not 0 <= feed.margin_seconds <= late:
        raise Invalid(f"The margin is at most the {late:,} seconds its source may be late.", field="margin_seconds")
    if len(feed.cursor) > LONGEST_CURSOR or not feed.cursor.isprintable():
        raise Invalid(f"A cursor is at most {LONGEST_CURSOR:,} printable characters.", field="cursor")
