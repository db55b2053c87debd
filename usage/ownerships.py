"""State who owns a resource or an app, and hand it over: usage itself is never touched."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.errors import Conflict, Invalid, NotFound
from core.fields import NO_TEXT, storable
from core.formatting import moment
from core.sql import load
from usage import locks, ownership_rows, pairing, store
from usage.ownership_rows import BY_APP, BY_EVENT, Believed
from usage.ownership_rules import END, Claim, numbered

LONGEST_NAME: Final = 200  # characters of a reference, a resource, an app or an account


@dataclass(frozen=True, slots=True)
class Statement:
    """``account`` owns ``resource`` (or, when that is empty, the whole ``app``) during ``[start, end)``."""

    reference: str
    account: str
    resource: str
    app: str
    start: datetime
    end: datetime | None = None

    @property
    def claim(self) -> Claim:
        return Claim(self.reference, self.account, self.app, self.start, self.end)


class ReferenceUsed(Conflict):
    """The identifier names another ownership."""

    code = "ownership_id_used"


class AlreadyOwned(Conflict):
    """Somebody owns it at that time."""

    code = "already_owned"


def state(said: Statement, *, by: str) -> bool:
    """Record an ownership; return whether it is new (False: the same was said before, nothing was done).

    Raises ReferenceUsed when ``reference`` was used for something else, AlreadyOwned when another statement
    overlaps. What an event mentioned in passing gives way. Repeatable, for ever: what was first said counts.
    """
    _check(said)
    with store.writing() as cursor:
        now = locks.history(cursor)
        if _said_before(cursor, said):
            return False
        affected = [said.resource] if said.resource else _resources(cursor, said.app, said.start)
        apps = [said.app] if not said.resource else []
        for row in ownership_rows.believed(cursor, [said.resource] if said.resource else [], apps):
            _refuse_overlap(row, said)
        ownership_rows.rewrite(cursor, affected, now, by=by, new=[(said.resource, said.claim)])
    return True


def transfer(*, app: str = "", resource: str = "", giver: str, taker: str, at: datetime, by: str) -> tuple[str, int]:
    """Hand an app or one resource over from ``at`` on; return the transfer's reference and how many resources moved.

    Everything of it that ``giver`` owns at ``at`` or later becomes ``taker``'s, for as long as it was giver's.
    What a third account owns stays. Repeatable: the same transfer again moves nothing and answers the same.
    Raises NotFound when giver owns nothing of it then.
    """
    if bool(app) == bool(resource):
        raise Invalid("Name the app or the resource that is handed over, but not both.", field="app")
    _check_names({"app": app, "resource": resource, "from": giver, "to": taker})
    if not taker:
        raise Invalid("to is missing.", field="to")
    if giver == taker:
        raise Invalid("An app is handed over from one account to another.", field="to")
    key = hashlib.sha256("\0".join((app, resource, giver, taker, at.isoformat())).encode()).hexdigest()[:24]
    reference = f"transfer:{key}"
    pairing.drain()  # so that what was reported a moment ago goes along
    with store.writing() as cursor:
        now = locks.history(cursor)
        if _by_reference(cursor, reference):
            return reference, _moved(cursor, reference, taker)
        affected = [resource] if resource else _resources(cursor, app, at)
        new, gone = _handed_over(ownership_rows.believed(cursor, affected, [app]), app, giver, at, reference, taker)
        if not new:
            raise NotFound(f"{giver} owns nothing of {app or resource} at {moment(at)} or later.")
        ownership_rows.rewrite(cursor, affected, now, by=by, new=new, gone=gone)
        return reference, _moved(cursor, reference, taker)


def _handed_over(
    rows: Sequence[Believed], app: str, giver: str, at: datetime, reference: str, taker: str
) -> tuple[list[tuple[str, Claim]], list[int]]:
    """Return the claims that a transfer states, and the rows that they replace."""
    new: dict[str, list[Claim]] = {}
    kept: list[tuple[str, Claim]] = []
    gone: list[int] = []
    for identifier, resource, claim in sorted(rows, key=lambda row: row.claim.start):
        if claim.account != giver or (claim.end or END) <= at or (app and claim.reference.startswith(BY_APP)):
            continue  # what follows from the app's ownership follows it by itself
        start = max(claim.start, at)
        new.setdefault(resource, []).append(Claim(reference, taker, claim.app or app, start, claim.end))
        if not ownership_rows.is_derived(claim.reference):
            gone.append(identifier)
            if claim.start < at:
                kept.append((resource, claim._replace(end=at)))
    stated = [(resource, claim) for resource, claims in new.items() for claim in numbered(claims)]
    return kept + stated, gone


def _check(said: Statement) -> None:
    if not 0 < len(said.reference) <= LONGEST_NAME or said.reference.startswith((BY_EVENT, BY_APP)):
        raise Invalid(f"An ownership's id has 1 to 200 characters and does not begin with {BY_EVENT}.", field="id")
    _check_names({"id": said.reference, "account": said.account, "resource": said.resource, "app": said.app})
    if not said.account:
        raise Invalid("account is missing.", field="account")
    if not said.resource and not said.app:
        raise Invalid("Name the resource, or the app, that is owned.", field="resource")
    if said.end is not None and said.end <= said.start:
        raise Invalid("end must be after start; an ownership that goes on has no end.", field="end")


def _check_names(names: Mapping[str, str]) -> None:
    """Refuse what the store cannot keep, by the name of the field that says it."""
    for field, text in names.items():
        if len(text) > LONGEST_NAME:
            raise Invalid(f"{field} has {len(text)} characters; it may have {LONGEST_NAME} at most.", field=field)
        if not storable(text):
            raise Invalid(f"{field} {NO_TEXT}", field=field)


def _said_before(cursor: store.Cursor, said: Statement) -> bool:
    """Whether exactly this was said before, whatever a transfer made of it since."""
    rows = _by_reference(cursor, said.reference)
    if not rows:
        return False
    if rows[0][:5] != (said.resource, said.account, said.app, said.start, said.end):
        raise ReferenceUsed(
            f"Ownership {said.reference} says something else already; use a new id for a new ownership."
        )
    return True


def _refuse_overlap(row: Believed, said: Statement) -> None:
    claim = row.claim
    if row.resource != said.resource or ownership_rows.is_derived(claim.reference):
        return
    if claim.start < (said.end or END) and said.start < (claim.end or END):
        until = f"until {moment(claim.end)}" if claim.end else "with no end"
        raise AlreadyOwned(
            f"{said.resource or said.app} is owned by {claim.account} from {moment(claim.start)} {until}"
            f" (ownership {claim.reference}); transfer it instead, or state a time that is free."
        )


def _by_reference(cursor: store.Cursor, reference: str) -> list[tuple[Any, ...]]:
    return cursor.execute(load("usage", "ownerships_by_reference").encode(), {"reference": reference}).fetchall()


def _moved(cursor: store.Cursor, reference: str, taker: str) -> int:
    named = {"reference": reference, "account": taker}
    count: int = cursor.execute(load("usage", "handed_over").encode(), named).fetchall()[0][0]
    return count


def _resources(cursor: store.Cursor, app: str, since: datetime) -> list[str]:
    """Return what belongs to an app; of what was only measured, what was measured since a moment."""
    named = {"app": app, "since": since}
    return [row[0] for row in cursor.execute(load("usage", "resources_of_app").encode(), named)]
