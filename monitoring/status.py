"""How the machinery stands, read from the tables themselves: queues, leases, mail, database, verification."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connections, router
from django.utils.module_loading import import_string

from billing import unbilled
from billing.models import UnbilledCount
from core import databases
from core.bell import CLUSTERS
from core.models import LeasedWork, OutboxMessage
from core.periods import Month
from core.sql import load
from monitoring import heartbeat
from monitoring.models import Heartbeat, Sweep, Verification
from usage import health, partitions, watching
from usage.watching import Watched

DEAF_AFTER_SECONDS: Final = 60.0
UNPAIRED_TOO_LONG_SECONDS: Final = 900  # a backlog is worked off in minutes, or pairing is not running
# Every kind of leased work: what the page calls it, and its model.
WORK: Final = (
    ("Run shards", "billing.models.RunShard"),
    ("Documents", "billing.models.Document"),
    ("Charges", "collections_.models.ChargeAttempt"),
    ("Refunds", "collections_.models.Refund"),
    ("News of gateways", "collections_.models.GatewayEvent"),
    ("Days of collecting", "collections_.models.CollectionsDay"),
    ("Mail", "core.models.Mail"),
    ("Webhooks", "accounts.models.WebhookDelivery"),
    ("Rehearsals of prices", "billing.models.Rehearsal"),
    ("Feeds of sources", "usage.models.Feed"),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One group of workers: when it last proved that it works, and what waits for it."""

    name: str
    beat_at: datetime | None
    waiting: int
    silent_seconds: float  # for how long it has owed an answer

    @property
    def alive(self) -> bool:
        return self.beat_at is not None and self.silent_seconds < DEAF_AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class WorkKind:
    """One kind of leased work by state, with the age of the oldest that is due."""

    name: str
    ready: int
    leased: int
    expired: int
    dead: int
    oldest_due_seconds: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the status page and the metrics show, taken at one moment."""

    at: datetime
    clusters: tuple[Cluster, ...]
    sweeps: tuple[Sweep, ...]
    work: tuple[WorkKind, ...]
    outbox: int
    unpaired: int
    unpaired_oldest_seconds: int
    quarantined: int
    quarantine_oldest_seconds: int
    unbilled: tuple[UnbilledCount, ...]  # of the running month and the one before, where something waits
    database_bytes: int
    connections: int
    verification: Verification | None
    months_missing: tuple[Month, ...]  # for which the usage store has no place yet
    sources: tuple[Watched, ...]  # that something is expected of, those in trouble first

    @property
    def silent(self) -> list[Watched]:
        """The sources whose metering must be taken for broken."""
        return [one for one in self.sources if one.health == health.SILENT]

    @property
    def healthy(self) -> bool:
        """Whether nothing asks for a person."""
        checked = self.verification is None or not self.verification.broken
        swept = not any(sweep.error for sweep in self.sweeps)
        working = all(cluster.alive for cluster in self.clusters) and not any(kind.dead for kind in self.work)
        return not self.silent and checked and swept and working and self.usage_flows

    @property
    def usage_flows(self) -> bool:
        """Whether events find a place and become usage."""
        return self.pairing_keeps_up and not self.months_missing

    @property
    def pairing_keeps_up(self) -> bool:
        """Whether no event has waited too long to become usage."""
        return self.unpaired_oldest_seconds < UNPAIRED_TOO_LONG_SECONDS


def take(*, at: datetime) -> Status:
    """Read the status as of ``at`` (which only ages are measured by)."""
    usage = _one(databases.usage(), load("monitoring", "usage_status"))
    database = _one("default", load("monitoring", "database_status"))
    return Status(
        at=at,
        clusters=tuple(_clusters()),
        sweeps=tuple(Sweep.objects.order_by("name")),
        work=tuple(_work(name, import_string(path)) for name, path in WORK),
        outbox=OutboxMessage.objects.count(),
        unpaired=usage["unpaired"],
        unpaired_oldest_seconds=int(usage["unpaired_oldest_seconds"]),
        quarantined=usage["quarantined"],
        quarantine_oldest_seconds=int(usage["quarantine_oldest_seconds"]),
        unbilled=tuple(count for count in unbilled.latest(at) if count.waits),
        database_bytes=database["bytes"],
        connections=database["connections"],
        verification=Verification.objects.order_by("-id").first(),
        months_missing=tuple(partitions.missing(at)),
        sources=tuple(watching.pulses(now=at)),
    )


def _clusters() -> list[Cluster]:
    beats = dict(Heartbeat.objects.values_list("cluster", "at"))
    waiting = {row["cluster"]: row["waiting"] for row in _all("default", load("monitoring", "queue_status"))}
    return [Cluster(name, beats.get(name), waiting.get(name, 0), heartbeat.silence(name)) for name in CLUSTERS]


def _work(name: str, model: type[LeasedWork]) -> WorkKind:
    sql = load("monitoring", "work_status").replace("{table}", model._meta.db_table)
    row = _one(router.db_for_read(model), sql)
    return WorkKind(name, row["ready"], row["leased"], row["expired"], row["dead"], int(row["oldest_due_seconds"]))


def _one(alias: str, sql: str) -> dict[str, Any]:
    return _all(alias, sql)[0]


def _all(alias: str, sql: str) -> list[dict[str, Any]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
