"""The simulated platform's manifests: what it sent, hour by hour without a gap, and that it is alive."""

from collections import defaultdict
from datetime import datetime

from core.periods import Span
from usage import agreement, hour_totals, sending
from usage.agreement import Hours, Statement, Sums
from usage.manifests import HOUR
from usage.models import Source


def state(sender: sending.Sender, hours: Hours, span: Span) -> int:
    """State every whole hour of ``span`` and beat once; return how many. A repeat changes nothing."""
    statements = [hours.stated(hour) for hour in _hours(span)]
    sending.state_all(statements, sender)
    sender.beat()
    return len(statements)


def remember(source: Source, hours: Hours, span: Span) -> "Remembered":
    """Return ``hours`` completed by what earlier simulations sent as the same source.

    A platform that is begun anew with another seed keeps no log of the old one, whose events stay; for the hours in
    which they lie, what Vault acknowledged has to stand in for that log.
    """
    found: dict[datetime, dict[str, tuple[Sums, int]]] = defaultdict(dict)
    for one in hour_totals.received(span, [source.pk]):
        found[one.hour][one.meter] = (one.sums, one.hash)
    return Remembered(hours, {hour: _statement(hour, meters) for hour, meters in found.items()})


class Remembered(Hours):
    """Hours of this simulation, and of those before it."""

    def __init__(self, own: Hours, known: dict[datetime, Statement]) -> None:
        super().__init__()
        self._own, self._known = own, known

    def stated(self, hour: datetime) -> Statement:
        return self._known.get(hour) or self._own.stated(hour)


def _statement(hour: datetime, meters: dict[str, tuple[Sums, int]]) -> Statement:
    sums = {meter: counted for meter, (counted, _) in meters.items()}
    digest = agreement.written(sum(total for _, total in meters.values()))
    return Statement(hour, sum(one.events for one in sums.values()), digest, sums)


def _hours(span: Span) -> list[datetime]:
    return [span.start + number * HOUR for number in range((span.end - span.start) // HOUR)]
