"""Who owns a resource when, from all that was said about it: a pure function, whatever order it was said in.

What a person or a program stated about the resource wins over what was stated about its app, and that over what
an event mentioned in passing. The lesser word fills only the gaps of the greater.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


class Claim(NamedTuple):
    """``account`` owns during ``[start, end)``; ``end`` None is without an end. ``reference`` says by which word."""

    reference: str
    account: str
    app: str
    start: datetime
    end: datetime | None


class Mention(NamedTuple):
    """An event of the resource that names an account, an app or both."""

    time: datetime
    account: str
    app: str


def derived(
    resource: str,
    stated: Sequence[Claim],
    of_apps: Iterable[Claim],
    mentions: Iterable[Mention],
    later: Iterable[Mention] = (),
) -> list[Claim]:
    """Return what owns the resource besides ``stated`` (its own statements, which do not overlap).

    ``of_apps`` are the statements about whole apps. They apply to the resource from its first event in the app.
    In each gap that is left, the earliest event that names an account owns from its time to the end of the gap.
    ``mentions`` are at least the first that names an account and the first that names an app; ``later`` say nothing
    about the resource's app: the first that names an account after each claim's end.
    """
    seen = sorted(mentions)
    claims = numbered(_by_app(seen, stated, of_apps))
    taken = [*stated, *claims]
    return claims + numbered(_by_event(resource, sorted([*seen, *later]), taken))


def _by_app(seen: Sequence[Mention], stated: Sequence[Claim], of_apps: Iterable[Claim]) -> Iterator[Claim]:
    first = next((mention for mention in seen if mention.app), None)
    if first is None:
        return
    for claim in sorted((c for c in of_apps if c.app == first.app), key=lambda claim: claim.start):
        for free_from, free_until in gaps(stated):
            start, end = max(free_from, claim.start, first.time), min(free_until, claim.end or END)
            if start < end:
                yield Claim(f"app:{claim.reference}", claim.account, claim.app, start, _open(end))


def _by_event(resource: str, seen: Sequence[Mention], taken: Sequence[Claim]) -> Iterator[Claim]:
    for start, end in gaps(taken):
        first = next((mention for mention in seen if mention.account and start <= mention.time < end), None)
        if first is not None:
            yield Claim(f"open:{resource}", first.account, first.app, first.time, _open(end))


def gaps(claims: Iterable[Claim]) -> Iterator[tuple[datetime, datetime]]:
    """Return the spans of all time that ``claims``, which do not overlap, leave free."""
    start = BEGINNING
    for claim in sorted(claims, key=lambda claim: claim.start):
        if start < claim.start:
            yield start, claim.start
        start = claim.end or END
    if start < END:
        yield start, END


def _open(end: datetime) -> datetime | None:
    return None if end == END else end


def numbered(claims: Iterable[Claim]) -> list[Claim]:
    """Give the second and later claims of one reference a number, so that each can be named."""
    count: dict[str, int] = {}
    numbered = []
    for claim in claims:
        count[claim.reference] = number = count.get(claim.reference, 0) + 1
        numbered.append(claim if number == 1 else claim._replace(reference=f"{claim.reference}#{number}"))
    return numbered
