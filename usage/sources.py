"""Sources and their credentials: made, rotated with an overlap, paused, resumed; each change is signed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from core import clock, databases, keys
from core.audit import REQUEST_ID, acting
from core.errors import Conflict, Invalid, NotFound
from core.keys import NewKey
from core.models import AuditEntry
from core.sql import load
from usage import store
from usage.models import Source, SourceCredential, SourceState

OVERLAP: Final = timedelta(days=1)  # how long an old credential lives on beside its successor
LONGEST_PAST_DAYS: Final = 3650
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
COLUMNS: Final = [field.attname for field in Source._meta.concrete_fields]  # in the order of credential.sql


class SourceExists(Conflict):
    """There is a source of that name."""

    code = "source_exists"


def find(name: str) -> Source:
    """Return the source of that name; raise NotFound."""
    found = Source.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no source {name!r:.110}. Create it with `manage.py create_source NAME`.")
    return found


def create(name: str, *, actor: str, **contract: Any) -> tuple[Source, NewKey]:
    """Create a source with its first credential; ``contract`` are fields of Source. Raises SourceExists.

    The credential's text is in the answer and nowhere else.
    """
    if not _NAME.fullmatch(name) or name == "new":  # /sources/new/ is where one is made
        raise Invalid("A source's name is made of letters, digits, dots, dashes and underscores.", field="name")
    if not 0 <= contract.get("past_days", 0) <= LONGEST_PAST_DAYS:
        raise Invalid(f"An event may be {LONGEST_PAST_DAYS} days old at most.", field="past_days")
    try:
        with signed(actor):
            source = Source.objects.create(name=name, **contract)
            note(actor, source, "insert", {}, {"name": name} | contract)
            return source, _new_credential(source, actor)
    except IntegrityError as error:
        raise SourceExists(
            f"There is a source {name} already; rotate its secret to get a new one (create_source {name} --rotate)."
        ) from error


def rotate(source: Source, *, actor: str, overlap: timedelta = OVERLAP) -> NewKey:
    """Make a new credential; the old ones end after ``overlap`` (zero: at once)."""
    with signed(actor):
        until = clock.database_now(databases.usage()) + overlap
        living = source.credentials.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=until))
        living.update(expires_at=until)
        return _new_credential(source, actor)


def pause(source: Source, *, actor: str, reason: str) -> Source:
    """Refuse the source's events until it is resumed. A repeat changes nothing."""
    return _turn(source, SourceState.PAUSED, actor, reason)


def resume(source: Source, *, actor: str, reason: str = "") -> Source:
    """Take the source's events again. A repeat changes nothing."""
    return _turn(source, SourceState.ACTIVE, actor, reason)


def heartbeat(source: Source) -> datetime:
    """Note that the source is alive and has nothing to report; return the moment."""
    now = clock.database_now(databases.usage())
    Source.objects.filter(pk=source.pk).update(last_heartbeat_at=now)
    return now


def authenticate(text: str) -> Source | None:
    """Return the source whose living credential ``text`` is, paused or not; None for anything else."""
    prefix = keys.prefix_of(text) if text.startswith("vs_") else None
    if prefix is None:
        return None
    with store.cursor() as cursor:
        row = cursor.execute(load("usage", "credential").encode(), {"prefix": prefix}).fetchone()
    if row is None or not keys.matches(text, row[1]):
        return None
    credential, _, worth_noting, *source = row
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


def _new_credential(source: Source, actor: str) -> NewKey:
    secret = keys.generate("s")
    SourceCredential.objects.create(source=source, prefix=secret.prefix, secret_hash=secret.secret_hash)
    note(actor, source, "update", {}, {"credential": secret.prefix})
    return secret


def note(
    actor: str, source: Source, operation: str, before: dict[str, Any], after: dict[str, Any], reason: str = ""
) -> None:
    """Write the audit row ourselves: the usage store may be another database than the audit trail's."""
    AuditEntry.objects.create(
        at=clock.database_now(), actor=actor, reason=reason, request=REQUEST_ID.get(), table="usage_source",
        row=str(source.pk), operation=operation, before=before, after=after,
    )  # fmt: skip
