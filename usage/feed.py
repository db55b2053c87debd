"""A source's own feed of events, page by page: what is asked for, and what an answer must be. Pure.

``GET URL?after=CURSOR&limit=N&min_age=SECONDS`` is answered by ``{"events": [...], "next": "cursor", "more": bool}``.
A cursor is the feed's own word for a place in its order; we keep it and give it back, and never read it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from core.errors import VaultError
from usage import reading
from usage.reported import Batch

MAX_BYTES: Final = 8 * 1024 * 1024  # of one page, as of one request to the intake
LONGEST_CURSOR: Final = 1000
OURS: Final = frozenset({"after", "limit", "min_age"})


class FeedBroken(VaultError):
    """The feed did not answer with a page; nothing was stored and the cursor stayed. ``wait`` is what it asked for."""

    code = "feed_broken"

    def __init__(self, message: str, *, wait_seconds: int = 0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class _Answer(msgspec.Struct):
    events: list[msgspec.Raw]
    next: str | None = None
    more: bool = False


_DECODER: Final = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its events as the intake reads them, the cursor behind them, and whether there is more."""

    batch: Batch
    size: int
    cursor: str
    more: bool

    def last(self) -> Self:
        """Return the same page as the last one that may be read now."""
        return replace(self, more=False)

    def young(self, since: datetime, *, ahead: timedelta) -> int | None:
        """Return the place of the first event that happened after ``since``; None when all are settled.

        One that claims to be later than ``ahead`` after it is not young but wrong, which the intake will say;
        waiting for it would stop the feed for as long as its clock is wrong.
        """
        times = ((event.index, event.time) for event in self.batch.events)
        return next((index for index, time in times if since < time <= since + ahead), None)


def address(url: str, *, after: str, limit: int, min_age: int) -> str:
    """Return the address of the page of at most ``limit`` events behind the cursor ``after``."""
    parts = urlsplit(url)
    asked = [*parse_qsl(parts.query, keep_blank_values=True), ("after", after), ("limit", limit), ("min_age", min_age)]
    return urlunsplit(parts._replace(query=urlencode(asked), fragment=""))


def page(body: bytes, *, after: str, limit: int) -> Page:
    """Read an answer; raise FeedBroken when it is no page, or leads nowhere. Bad events are the intake's to refuse."""
    try:
        answer = _DECODER.decode(body)
        batch = reading.read(b"[" + b",".join(map(bytes, answer.events)) + b"]")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, reading.Unreadable, reading.TooMany) as error:
        raise FeedBroken(f"The feed's answer is no page of events ({error}).") from error
    if len(answer.events) > limit:
        raise FeedBroken(f"The feed gave {len(answer.events):,} events on a page of at most {limit:,}; heed `limit`.")
    cursor = _cursor(after if answer.next is None and not answer.events else answer.next)
    if cursor == after and (answer.events or answer.more):
        raise FeedBroken("The feed's `next` is the cursor it was asked for, so that the same page would come for ever.")
    if after and not cursor:
        raise FeedBroken("The feed's `next` is empty, which is its beginning; nothing was stored.")
    return Page(batch, len(answer.events), cursor, answer.more)


def _cursor(text: str | None) -> str:
    if text is None:
        raise FeedBroken("The page has events and no `next`; without it the reading cannot go on behind them.")
    if len(text) > LONGEST_CURSOR or not text.isprintable():
        raise FeedBroken(f"The page's `next` is no text of at most {LONGEST_CURSOR:,} printable characters.")
    return text
