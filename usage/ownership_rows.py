"""Reading and rewriting the believed ownerships of many resources at once; the caller holds the history."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from core.sql import load
from usage.ownership_rules import Claim, Mention, derived
from usage.store import Cursor

BY_EVENT = "open:"
BY_APP = "app:"
Row = tuple[int, Claim]


def is_derived(reference: str) -> bool:
    """Whether an ownership follows from events or from its app's, so that it is made anew when those change."""
    return reference.startswith((BY_EVENT, BY_APP))


def believed(cursor: Cursor, resources: Sequence[str], apps: Sequence[str]) -> dict[str, list[Row]]:
    """Return the believed ownerships by resource, with those of whole ``apps`` under the empty one."""
    found: dict[str, list[Row]] = defaultdict(list)
    statement = load("usage", "believed_ownerships").encode()
    for identifier, resource, *claim in cursor.execute(statement, {"resources": list(resources), "apps": list(apps)}):
        found[resource].append((identifier, Claim(*claim)))
    return found


def derive(cursor: Cursor, mentions: Mapping[str, Sequence[Mention]], now: datetime) -> int:
    """Make the derived ownerships of some resources anew from all their ``mentions``; return how many changed.

    Repeatable: what is already so is left alone.
    """
    apps = {mention.app for of_one in mentions.values() for mention in of_one if mention.app}
    rows = believed(cursor, list(mentions), list(apps))
    of_apps: dict[str, list[Claim]] = defaultdict(list)
    for _, claim in rows.get("", ()):
        of_apps[claim.app].append(claim)
    gone: list[int] = []
    new: list[tuple[str, Claim]] = []
    for resource, of_one in mentions.items():
        old = {claim: identifier for identifier, claim in rows.get(resource, ()) if is_derived(claim.reference)}
        stated = [claim for _, claim in rows.get(resource, ()) if not is_derived(claim.reference)]
        rules = [claim for app in {mention.app for mention in of_one} for claim in of_apps.get(app, ())]
        wanted = derived(resource, stated, rules, of_one)
        gone += [identifier for claim, identifier in old.items() if claim not in wanted]
        new += [(resource, claim) for claim in wanted if claim not in old]
    supersede(cursor, gone, now)
    record(cursor, new, now, by="system:pairing")
    return len(gone) + len(new)


def supersede(cursor: Cursor, ids: Sequence[int], now: datetime) -> None:
    if ids:
        cursor.execute(load("usage", "supersede_ownerships").encode(), {"ids": list(ids), "now": now})


def record(cursor: Cursor, rows: Iterable[tuple[str, Claim]], now: datetime, *, by: str) -> None:
    """Record claims of resources; the empty resource is the claim's whole app."""
    rows = list(rows)
    if rows:
        columns = {name: [getattr(claim, name) for _, claim in rows] for name in Claim._fields}
        parameters = columns | {"resource": [resource for resource, _ in rows], "now": now, "by": by}
        cursor.execute(load("usage", "record_ownerships").encode(), parameters)
