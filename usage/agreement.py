"""What a source says it sent in an hour, beside what was received, and what explains a difference. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core.errors import Invalid
from core.exact import EXACT, ZERO, plain
from core.fields import Fields, moment
from core.formatting import iso
from core.formatting import quantity as number
from usage.reported import CLOSE, DURATION, GAUGE, LIMITS, MEASURED, OPEN, PLACES

MODULUS: Final = 2**64
QUARANTINED: Final = "quarantined"
MISSING: Final = "missing"
EXTRA: Final = "extra"
ALTERED: Final = "altered"
EXCHANGED: Final = "exchanged"
UNSTATED: Final = "unstated"
_COUNTED: Final = {OPEN: 0, CLOSE: 1, MEASURED: 2, GAUGE: 2}  # which of Sums an event adds one to


class Sums(NamedTuple):
    """What one meter came to in one hour: opens and closes counted, what has a quantity counted and summed.

    ``measured`` counts measured events and gauges alike: either has a meter and a quantity, and a sum tells a lost one.
    """

    opens: int = 0
    closes: int = 0
    measured: int = 0
    quantity: Decimal = ZERO

    @property
    def events(self) -> int:
        return self.opens + self.closes + self.measured


@dataclass(frozen=True, slots=True)
class Statement:
    """A manifest as a source sent it: one hour by event time, its events, their rolling hash, sums per meter."""

    hour: datetime
    events: int
    hash: str
    meters: Mapping[str, Sums]


class Hours:
    """What a sender keeps of the events it sends, so that it can state any hour of them: sums, never the events."""

    def __init__(self) -> None:
        self._sums: dict[datetime, dict[str, list[Any]]] = {}
        self._hashes: dict[datetime, int] = {}

    def add(self, event: Mapping[str, Any]) -> None:
        """Count an event, as a source writes it, in; each is to be added once, however often it is sent."""
        hour = moment(event["time"], "time").replace(minute=0, second=0, microsecond=0)
        meters = self._sums.setdefault(hour, {})
        sums = meters.setdefault(event.get("meter") or DURATION, [0, 0, 0, ZERO])
        sums[_COUNTED[event["type"]]] += 1
        if event["type"] in (MEASURED, GAUGE):
            sums[3] = EXACT.add(sums[3], Decimal(str(event["quantity"])))
        self._hashes[hour] = self._hashes.get(hour, 0) + hash_of(event["id"])

    def stated(self, hour: datetime) -> Statement:
        """Return what is to be stated about ``hour``, which may be nothing."""
        meters = {meter: Sums(*sums) for meter, sums in self._sums.get(hour, {}).items()}
        events = sum(sums.events for sums in meters.values())
        return Statement(hour, events, written(self._hashes.get(hour, 0)), meters)


def as_json(statement: Statement) -> dict[str, Any]:
    """Return a manifest as a source sends it."""
    meters = {m: sums._asdict() | {"quantity": plain(sums.quantity)} for m, sums in statement.meters.items()}
    return {"hour": iso(statement.hour), "events": statement.events, "hash": statement.hash, "meters": meters}


class Difference(NamedTuple):
    """Why two neighbouring columns differ, by how many events and how much (positive: the left has more)."""

    kind: str
    events: int
    quantity: Decimal
    sentence: str


def rolling_hash(ids: Iterable[str]) -> str:
    """Return 16 hex digits: the sum over the ids of the first 8 bytes of their SHA-256, modulo 2^64.

    A sum, so that a source adds each event as it sends it, in any order, and Vault never reads an hour twice.
    """
    return written(sum(map(hash_of, ids)))


def hash_of(event_id: str) -> int:
    """Return what one event adds to the rolling hash."""
    return int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:8], "big")


def written(total: int) -> str:
    """Write a sum of hashes as a manifest carries it."""
    return f"{total % MODULUS:016x}"


def read(said: object) -> Statement:
    """Read a manifest from its JSON object; raise Invalid, naming the field."""
    given = Fields(said)
    hour = moment(given.take("hour"), "hour")
    if hour.minute or hour.second or hour.microsecond:
        raise Invalid("hour must be the start of a full hour, UTC.", field="hour")
    events, digest = given.count("events"), given.text("hash").lower()
    if len(digest) != 16 or set(digest) - set("0123456789abcdef"):
        raise Invalid(
            "hash must be 16 hexadecimal digits; the documentation of usage says how it is made.", field="hash"
        )
    meters = _meters(given.take("meters"))
    given.done("a manifest")
    counted = sum(sums.events for sums in meters.values())
    if counted != events:
        raise Invalid(f"The meters count {counted} events, but events says {events}.", field="events")
    return Statement(hour, events, digest, meters)


def _meters(said: object) -> dict[str, Sums]:
    if not isinstance(said, Mapping):
        raise Invalid("meters must be an object: each meter's name with its counts.", field="meters")
    return {_meter(name): _sums(Fields(value, f"meters.{name}"[:100])) for name, value in said.items()}


def _meter(name: object) -> str:
    text = str(name)
    surrogates = any("\ud800" <= letter <= "\udfff" for letter in text)
    if surrogates or not 0 < len(text) <= LIMITS["meter"] or "\0" in text:
        raise Invalid(f"A meter's name has 1 to {LIMITS['meter']} characters, none of them NUL.", field="meters")
    return text


def _sums(given: Fields) -> Sums:
    sums = Sums(
        given.count("opens", 0), given.count("closes", 0), given.count("measured", 0), given.decimal("quantity", ZERO)
    )
    given.done("a meter")
    exponent = sums.quantity.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PLACES:
        raise Invalid(f"quantity has {PLACES} digits after the point at most.", field=given.at("quantity"))
    if sums.quantity and not sums.measured:
        raise Invalid("A quantity needs at least one measured event.", field=given.at("quantity"))
    return sums


def nonzero(meters: Mapping[str, Sums]) -> dict[str, Sums]:
    """Leave out the meters of which nothing was sent: to state nothing about one says the same."""
    return {meter: sums for meter, sums in meters.items() if sums.events}


def arrival(stated: Sums, received: Sums, *, quarantined: int = 0) -> list[Difference]:
    """Explain what one meter of one hour lacks, or has too much of, against its manifest; nothing when both agree.

    ``quarantined`` is how many of the hour's events are refused and known.
    """
    events, amount = stated.events - received.events, EXACT.subtract(stated.quantity, received.quantity)
    if stated == received:
        return []
    if events < 0:
        return [Difference(EXTRA, events, amount, f"{number(-events)} more received than stated.")]
    if events == 0:
        return [Difference(ALTERED, 0, amount, _altered(stated, received))]
    known = min(events, quarantined)
    lost = events - known
    found = []
    if known:
        found.append(Difference(QUARANTINED, known, ZERO if lost else amount, f"{number(known)} refused or discarded."))
    if lost:
        found.append(Difference(MISSING, lost, amount, f"{number(lost)} stated but never received."))
    return found


def _altered(stated: Sums, received: Sums) -> str:
    if stated.quantity != received.quantity:
        return f"The quantities sum to {plain(received.quantity)}, not to {plain(stated.quantity)}."
    return (
        f"{received.opens} opens, {received.closes} closes and {received.measured} measured arrived, "
        f"not {stated.opens}, {stated.closes} and {stated.measured}."
    )
