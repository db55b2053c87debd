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
MOST: Final = 1_000  # manifests in one request: a source that was away for six weeks catches up in one
NEW: Final = "new"
REPEATED: Final = "repeated"
SUPERSEDED: Final = "superseded"


def read(body: bytes) -> list[Statement]:
    """Read a manifest, or a list of up to 1,000 for as many hours, from JSON; raise Invalid, whatever the bytes are."""
    try:
        said = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not JSON ({error}).") from error
    if not isinstance(said, list):
        return [agreement.read(said)]
    if not 0 < len(said) <= MOST:
        raise Invalid(f"A list carries 1 to {MOST:,} manifests, not {len(said):,}; send several.")
    statements = [agreement.read(one) for one in said]
    if len({one.hour for one in statements}) != len(statements):
        raise Invalid("An hour comes twice in the list; state each once.", field="hour")
    return statements


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("A key comes twice in one object; say everything once.")
    return found


def state(source: Source, statement: Statement) -> str:
    """Record what a source states about one hour, as ``state_all`` does for many."""
    return state_all(source, [statement])[0]


def state_all(source: Source, statements: Sequence[Statement]) -> list[str]:
    """Record what a source states about some hours, all or none; return for each: new, repeated or superseded.

    The same statement again changes nothing; another one about the same hour supersedes the first, which stays
    readable. Raises Invalid for an hour that is not over.
    """
    with store.writing():
        Source.objects.select_for_update().get(pk=source.pk)  # two statements about one hour come one by one
        now = clock.database_now(databases.usage())
        if max(one.hour for one in statements) + HOUR > now + timedelta(seconds=source.future_seconds):
            raise Invalid("This hour is not over yet; send its manifest when it is.", field="hour")
        hours = [one.hour for one in statements]
        found = Manifest.objects.filter(source=source, hour__in=hours, superseded_at=None).prefetch_related("sums")
        before = {one.hour: one for one in found}
        changed = [one for one in statements if one.hour not in before or said(before[one.hour]) != one]
        gone = [before[one.hour].pk for one in changed if one.hour in before]
        Manifest.objects.filter(pk__in=gone).update(superseded_at=now)
        Source.objects.filter(pk=source.pk).update(last_heartbeat_at=now)  # a statement is a word, too
        _record(source, changed, now)
    new = {one.hour for one in changed}
    return [REPEATED if hour not in new else SUPERSEDED if hour in before else NEW for hour in hours]


def _record(source: Source, statements: Sequence[Statement], now: datetime) -> None:
    made = Manifest.objects.bulk_create(
        Manifest(source=source, hour=one.hour, events=one.events, hash=one.hash, received_at=now) for one in statements
    )
    ManifestSum.objects.bulk_create(
        ManifestSum(manifest=manifest, meter=meter, **sums._asdict())
        for manifest, one in zip(made, statements, strict=True)
        for meter, sums in one.meters.items()
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
