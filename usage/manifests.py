"""Manifests: a source states what it sent in an hour, so that a loss on the way is known and not guessed."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from core import clock, databases
from core.errors import Invalid, NotFound
from core.periods import Span
from usage import agreement, store
from usage.agreement import Statement, Sums
from usage.models import Manifest, ManifestSum, Source

HOUR: Final = timedelta(hours=1)
NEW: Final = "new"
REPEATED: Final = "repeated"
SUPERSEDED: Final = "superseded"


def read(body: bytes) -> Statement:
    """Read a manifest from JSON; raise Invalid, whatever the bytes are."""
    try:
        said = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not JSON ({error}).") from error
    return agreement.read(said)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("A key comes twice in one object; say everything once.")
    return found


def state(source: Source, statement: Statement) -> str:
    """Record what a source states about an hour; return new, repeated or superseded.

    The same statement again changes nothing; another one about the same hour supersedes the first, which stays
    readable. Raises Invalid for an hour that is not over.
    """
    with store.writing():
        Source.objects.select_for_update().get(pk=source.pk)  # two statements about one hour come one by one
        now = clock.database_now(databases.usage())
        if statement.hour + HOUR > now + timedelta(seconds=source.future_seconds):
            raise Invalid("This hour is not over yet; send its manifest when it is.", field="hour")
        before = Manifest.objects.filter(source=source, hour=statement.hour, superseded_at=None).first()
        if before is not None and said(before) == statement:
            return REPEATED
        if before is not None:
            before.superseded_at = now
            before.save(update_fields=["superseded_at"])
        _record(source, statement, now)
    return NEW if before is None else SUPERSEDED


def _record(source: Source, statement: Statement, now: datetime) -> None:
    manifest = Manifest.objects.create(
        source=source, hour=statement.hour, events=statement.events, hash=statement.hash, received_at=now
    )
    ManifestSum.objects.bulk_create(
        ManifestSum(manifest=manifest, meter=meter, **sums._asdict()) for meter, sums in statement.meters.items()
    )


def said(manifest: Manifest) -> Statement:
    """Return a stored manifest as it was stated."""
    meters = {one.meter: Sums(one.opens, one.closes, one.measured, one.quantity) for one in manifest.sums.all()}
    return Statement(manifest.hour, manifest.events, manifest.hash, meters)


def believed(span: Span, sources: Sequence[int]) -> dict[tuple[int, datetime], Statement]:
    """Return the latest statements of some sources (rows) about the hours of ``span``."""
    found = Manifest.objects.filter(
        source__in=sources, hour__gte=span.start, hour__lt=span.end, superseded_at=None
    ).prefetch_related("sums")
    return {(one.source_id, one.hour): said(one) for one in found}


def history(source: str, hour: datetime | None = None) -> QuerySet[Manifest]:
    """Return everything a source ever stated, of one hour when it is given; raise NotFound for an unknown source."""
    one = Source.objects.filter(name=source).first() if "\0" not in source else None
    if one is None:
        raise NotFound("There is no source of that name.")
    found = Manifest.objects.filter(source=one).prefetch_related("sums")
    return found if hour is None else found.filter(hour=hour)
