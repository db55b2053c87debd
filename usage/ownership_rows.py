"""Reading and rewriting the believed ownerships of many resources at once; the caller holds the history."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from core.sql import load
from usage.ownership_rules import Claim, Mention, derived
from usage.store import Cursor

BY_EVENT = "open:"
BY_APP = "app:"
WHOLE_APP = ""  # in place of a resource: the ownership of a whole app


class Believed(NamedTuple):
    """One believed row: which it is, whose resource, and what it says."""

    id: int
    resource: str
    claim: Claim


def is_derived(reference: str) -> bool:
    """Whether an ownership follows from events or from its app's, so that it is made anew when those change."""
    return reference.startswith((BY_EVENT, BY_APP))


def believed(cursor: Cursor, resources: Sequence[str], apps: Sequence[str]) -> list[Believed]:
    """Return the believed ownerships of some resources and of some whole apps."""
    named = {"resources": list(resources), "apps": list(apps)}
    rows = cursor.execute(load("usage", "believed_ownerships").encode(), named)
    return [Believed(identifier, resource, Claim._make(claim)) for identifier, resource, *claim in rows]


def rewrite(
    cursor: Cursor,
    resources: Sequence[str],
    now: datetime,
    *,
    by: str = "system:pairing",
    new: Collection[tuple[str, Claim]] = (),
    gone: Collection[int] = (),
) -> None:
    """State ``new`` claims of resources in place of the rows ``gone``, and make what is derived of them anew.

    Repeatable: what is already so is left alone. The database refuses a new claim that overlaps another.
    """
    mentions = _mentions(cursor, resources)
    apps = {mention.app for of_one in mentions.values() for mention in of_one} | {claim.app for _, claim in new}
    rows = [row for row in believed(cursor, resources, sorted(apps - {""})) if row.id not in gone]
    stated: dict[str, list[Claim]] = defaultdict(list)
    old: dict[tuple[str, Claim], int] = {}
    for identifier, resource, claim in rows:
        if is_derived(claim.reference):
            old[resource, claim] = identifier
        else:
            stated[resource].append(claim)
    for resource, claim in new:
        stated[resource].append(claim)
    later = _mentions_after(cursor, {resource: [*stated[resource], *stated[WHOLE_APP]] for resource in resources})
    wanted = {
        (resource, claim)
        for resource in resources
        for claim in derived(resource, stated[resource], stated[WHOLE_APP], mentions[resource], later[resource])
    }
    _supersede(cursor, [*gone, *(identifier for row, identifier in old.items() if row not in wanted)], now)
    _record(cursor, new, now, by)
    _record(cursor, [row for row in sorted(wanted) if row not in old], now, "system:pairing")


def _mentions(cursor: Cursor, resources: Sequence[str]) -> dict[str, list[Mention]]:
    found: dict[str, list[Mention]] = {resource: [] for resource in resources}
    for resource, *said in cursor.execute(load("usage", "mentions").encode(), {"resources": list(resources)}):
        found[resource].append(Mention._make(said))
    return found


def _mentions_after(cursor: Cursor, claims: Mapping[str, Iterable[Claim]]) -> dict[str, list[Mention]]:
    """Return the first mention of an account after each end of a claim: a gap may begin there, and it may own it."""
    ends = sorted({(resource, claim.end) for resource, of_one in claims.items() for claim in of_one if claim.end})
    found: dict[str, list[Mention]] = {resource: [] for resource in claims}
    if ends:
        named = {"resources": [resource for resource, _ in ends], "since": [end for _, end in ends]}
        for resource, *said in cursor.execute(load("usage", "mentions_since").encode(), named):
            found[resource].append(Mention._make(said))
    return found


def _supersede(cursor: Cursor, ids: Sequence[int], now: datetime) -> None:
    if ids:
        cursor.execute(load("usage", "supersede_ownerships").encode(), {"ids": list(ids), "now": now})


def _record(cursor: Cursor, rows: Iterable[tuple[str, Claim]], now: datetime, by: str) -> None:
    rows = list(rows)
    if rows:
        columns = {name: [getattr(claim, name) for _, claim in rows] for name in Claim._fields}
        parameters = columns | {"resource": [resource for resource, _ in rows], "now": now, "by": by}
        cursor.execute(load("usage", "record_ownerships").encode(), parameters)
