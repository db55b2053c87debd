"""Whether a month can be closed: what a person should know before a run freezes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from accounts.models import Account
from billing import running, unpriced, waivers
from billing.models import Run, RunState
from core import clock, databases
from core.periods import Month
from usage import completeness, watermark
from usage.models import QuarantinedEvent, QuarantineState, Source, SourceState, Unpaired
from usage.watermark import Watermark

ENDED: Final = (RunState.CLOSED, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Readiness:
    """One month before its run: counts of what waits for a person, and who has not been heard since it ended."""

    month: Month
    over: bool
    accounts: int
    existing: Run | None
    unfinished: Run | None  # an earlier month's run that has not ended
    silent: Sequence[Source]
    unconfirmed: Sequence[tuple[Source, Watermark]]  # once it is over: whose usage may not all have arrived
    newest: datetime | None  # the newest event time of any source
    quarantined: int
    unpaired: int
    overlaps: int
    unowned: int
    unpriced: int
    strangers: Sequence[str]

    @property
    def problems(self) -> int:
        """How many things of the usage wait for a person."""
        return self.quarantined + self.overlaps + self.unowned + self.unpriced + len(self.strangers)


def of(month: Month, *, shadow: bool = False) -> Readiness:
    """Look at a month as it is known now. Reads only; the usage of the whole month is looked through once."""
    now = clock.database_now(databases.usage())
    sources = list(Source.objects.expected().exclude(state=SourceState.REVOKED))
    since, waived = min(month.end, now), waivers.unowned(month, clock.database_now())
    return Readiness(
        month=month,
        over=now >= month.end,
        accounts=Account.objects.filter(Q(closed_at=None) | Q(closed_at__gte=month.start)).count(),
        existing=None if shadow else running.live(month),
        unfinished=_unfinished_before(month),
        silent=[source for source in sources if source.state == SourceState.ACTIVE and not _heard(source, since)],
        unconfirmed=watermark.waited_for(month.end, now=now) if now >= month.end else [],
        newest=max((source.last_event_at for source in sources if source.last_event_at), default=None),
        quarantined=QuarantinedEvent.objects.filter(state=QuarantineState.WAITING).count(),
        unpaired=Unpaired.objects.count(),
        overlaps=len(completeness.problems(month.span, cutoff=now)),
        unowned=len(waivers.still_unowned(completeness.unowned(month.span, cutoff=now), waived)),
        unpriced=len(unpriced.unpriced(month, cutoff=now)),
        strangers=completeness.strangers(month.span, cutoff=now),
    )


def _heard(source: Source, since: datetime) -> bool:
    """Say whether a source said anything after ``since``, less the time its contract lets it be late."""
    heard = [moment for moment in (source.last_received_at, source.last_heartbeat_at) if moment]
    return any((since - moment).total_seconds() <= source.cadence_seconds for moment in heard)


def _unfinished_before(month: Month) -> Run | None:
    runs = Run.objects.filter(shadow=False, month__lt=month.first_day).exclude(state__in=ENDED)
    return runs.order_by("month").first()
