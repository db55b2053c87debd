"""Sources, their contracts and secrets: made, changed, rotated with an overlap, revoked; each change is signed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from core import clock, databases, keys
from core.audit import REQUEST_ID, acting
from core.errors import Conflict, Invalid, NotFound, Refused
from core.keys import NewKey
from core.models import AuditEntry
from core.sql import load
from usage import store
from usage.models import Source, SourceCredential, SourceState
from usage.models.source import EVENTS, LONGEST_AHEAD, LONGEST_PAST_DAYS, LONGEST_SECONDS, SOURCE_SCOPES

OVERLAP: Final = timedelta(days=1)  # how long an old credential lives on beside its successor
LONGEST_OVERLAP: Final = timedelta(days=7)
CONTRACT: Final = ("title", "owner", "cadence_seconds", "lateness_seconds", "past_days", "future_seconds")
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "cadence_seconds": (1, LONGEST_SECONDS),
    "lateness_seconds": (0, LONGEST_SECONDS),
    "past_days": (1, LONGEST_PAST_DAYS),
    "future_seconds": (0, LONGEST_AHEAD),
}
# /sources/new/ is where one is made; corrections speak under a name of their own (usage.amending).
RESERVED: Final = ("new", "amendments")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
COLUMNS: Final = [field.attname for field in Source._meta.concrete_fields]  # in the order of credential.sql


class SourceExists(Conflict):
    """There is a source of that name."""

    code = "source_exists"


class OutOfScope(Refused):
    """The secret is good, but not for this."""

    code = "out_of_scope"


def find(name: str) -> Source:
    """Return the source of that name; raise NotFound."""
    found = Source.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no source {name!r:.110}. Create it with `manage.py create_source NAME`.")
    return found


def create(name: str, *, actor: str, scopes: Sequence[str] = SOURCE_SCOPES, **contract: Any) -> tuple[Source, NewKey]:
    """Create a source with its first credential; ``contract`` are fields of CONTRACT. Raises SourceExists.

    The credential's text is in the answer and nowhere else.
    """
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise Invalid("A source's name is made of letters, digits, dots, dashes and underscores.", field="name")
    _within_reason(contract)
    try:
        with signed(actor):
            source = Source.objects.create(name=name, **contract)
            note(actor, source, "insert", {}, {"name": name} | contract)
            return source, _new_credential(source, actor, _scopes(scopes))
    except IntegrityError as error:
        raise SourceExists(
            f"There is a source {name} already; rotate its secret to get a new one (create_source {name} --rotate)."
        ) from error


def change(source: Source, *, actor: str, reason: str = "", **contract: Any) -> Source:
    """Change what is expected of a source; the trail keeps what was expected before. A repeat changes nothing."""
    _within_reason(contract)
    with signed(actor, reason):
        source = Source.objects.select_for_update().get(pk=source.pk)
        if source.state == SourceState.REVOKED:
            raise Conflict(f"Source {source.name} is revoked for good; nothing is expected of it.")
        new = {name: value for name, value in contract.items() if getattr(source, name) != value}
        if new:
            note(actor, source, "update", {name: getattr(source, name) for name in new}, new, reason)
            for name, value in new.items():
                setattr(source, name, value)
            source.save(update_fields=list(new))
    return source


def _within_reason(contract: Mapping[str, Any]) -> None:
    for name, (least, most) in LIMITS.items():
        if not least <= contract.get(name, least) <= most:
            raise Invalid(f"{name} lies between {least:,} and {most:,}.", field=name)


def rotate(source: Source, *, actor: str, overlap: timedelta = OVERLAP, scopes: Sequence[str] | None = None) -> NewKey:
    """Make a new credential, good for ``scopes``; what it replaces ends after ``overlap`` (zero: at once).

    It replaces those that are good for nothing else than it is; one that may do more lives on. Without ``scopes`` it
    may do all that the living ones may, and replaces them all. Raises Conflict for a revoked source.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"An old secret may live on for {LONGEST_OVERLAP.days} days at most.", field="overlap")
    with signed(actor):
        if Source.objects.select_for_update().get(pk=source.pk).state == SourceState.REVOKED:
            raise Conflict(f"Source {source.name} is revoked for good; create another one.")
        now = clock.database_now(databases.usage())
        living = source.credentials.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))
        may = _scopes(scopes) if scopes is not None else _all_of(living)
        replaced = living.filter(scopes__contained_by=may).exclude(expires_at__lte=now + overlap)
        replaced.update(expires_at=now + overlap)
        return _new_credential(source, actor, may)


def _all_of(credentials: QuerySet[SourceCredential]) -> list[str]:
    held = {scope for credential in credentials for scope in credential.scopes}
    return [scope for scope in SOURCE_SCOPES if scope in held] or list(SOURCE_SCOPES)


def _scopes(asked: Sequence[str]) -> list[str]:
    if not asked or set(asked) - set(SOURCE_SCOPES):
        raise Invalid(f"A secret is good for one or more of {', '.join(SOURCE_SCOPES)}.", field="scopes")
    return [scope for scope in SOURCE_SCOPES if scope in asked]


def revoke_credential(source: Source, prefix: str, *, actor: str, reason: str) -> SourceCredential:
    """End one credential at once and for good: it got into wrong hands. A repeat changes nothing. Raises NotFound."""
    with signed(actor, reason):
        credential = source.credentials.select_for_update().filter(prefix=prefix).first()
        if credential is None:
            raise NotFound(f"Source {source.name} has no secret that begins with {prefix!r:.40}.")
        if credential.revoked_at is None:
            credential.revoked_at = clock.database_now(databases.usage())
            credential.save(update_fields=["revoked_at"])
            note(actor, source, "update", {"credential": prefix}, {"credential": "revoked"}, reason)
    return credential


def pause(source: Source, *, actor: str, reason: str) -> Source:
    """Refuse the source's events until it is resumed. A repeat changes nothing."""
    return _turn(source, SourceState.PAUSED, actor, reason)


def resume(source: Source, *, actor: str, reason: str = "") -> Source:
    """Take the source's events again. A repeat changes nothing."""
    return _turn(source, SourceState.ACTIVE, actor, reason)


def revoke(source: Source, *, actor: str, reason: str) -> Source:
    """End a source for good: every secret of it ends, its feed is read no more, what it sent stays. Repeatable."""
    with signed(actor, reason):
        source = Source.objects.select_for_update().get(pk=source.pk)
        if source.state != SourceState.REVOKED:
            note(actor, source, "update", {"state": source.state}, {"state": SourceState.REVOKED}, reason)
            source.state = SourceState.REVOKED
            source.save(update_fields=["state"])
            source.credentials.filter(revoked_at=None).update(revoked_at=clock.database_now(databases.usage()))
    return source


def heartbeat(source: Source) -> datetime:
    """Note that the source is alive and has nothing to report; return the moment."""
    with store.cursor() as cursor:
        at: datetime = cursor.execute(load("usage", "note_heartbeat").encode(), {"source": source.pk}).fetchall()[0][0]
    return at


def authenticate(text: str, scope: str = EVENTS) -> Source | None:
    """Return the source whose living credential ``text`` is, paused or not; None for anything else.

    Raises OutOfScope when the credential is not good for ``scope``.
    """
    prefix = keys.prefix_of(text) if text.startswith("vs_") else None
    if prefix is None:
        return None
    with store.cursor() as cursor:
        row = cursor.execute(load("usage", "credential").encode(), {"prefix": prefix}, prepare=True).fetchone()
    if row is None or not keys.matches(text, row[1]):
        return None
    credential, _, scopes, worth_noting, *source = row
    if scope not in scopes:
        raise OutOfScope(f"This secret may send {', '.join(scopes)} and not {scope}; use another one of the source.")
    if worth_noting:
        used = SourceCredential.objects.filter(pk=credential)
        used.update(last_used_at=clock.database_now(databases.usage()))
    return Source.from_db(databases.usage(), COLUMNS, source)


@contextmanager
def signed(actor: str, reason: str = "") -> Iterator[None]:
    """Open a transaction of the books, for the audit trail, and one of the usage store."""
    with acting(actor, reason), transaction.atomic(using=databases.usage()):
        yield


def _turn(source: Source, state: str, actor: str, reason: str) -> Source:
    with signed(actor, reason):
        source = Source.objects.select_for_update().get(pk=source.pk)
        if source.state == SourceState.REVOKED:
            raise Conflict(f"Source {source.name} is revoked for good; create another one.")
        if source.state != state:
            note(actor, source, "update", {"state": source.state}, {"state": state}, reason)
            source.state = state
            source.save(update_fields=["state"])
    return source


def _new_credential(source: Source, actor: str, scopes: list[str]) -> NewKey:
    secret = keys.generate("s")
    SourceCredential.objects.create(source=source, prefix=secret.prefix, secret_hash=secret.secret_hash, scopes=scopes)
    note(actor, source, "update", {}, {"credential": secret.prefix, "scopes": ", ".join(scopes)})
    return secret


def note(
    actor: str, source: Source, operation: str, before: dict[str, Any], after: dict[str, Any], reason: str = ""
) -> None:
    """Write the audit row ourselves: the usage store may be another database than the audit trail's."""
    AuditEntry.objects.create(
        at=clock.database_now(), actor=actor, reason=reason, request=REQUEST_ID.get(), table="usage_source",
        row=str(source.pk), operation=operation, before=before, after=after,
    )  # fmt: skip
