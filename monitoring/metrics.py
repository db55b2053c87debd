"""The same status as Prometheus text: read from the tables at scrape time, so no process can lose a count."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from monitoring.status import Status
from usage import health

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(status: Status) -> bytes:
    """Return ``status`` in Prometheus' exposition format."""
    registry = CollectorRegistry()
    for name, help_text, labels, value in _samples(status):
        gauge = _gauge(registry, name, help_text, tuple(labels))
        (gauge.labels(**labels) if labels else gauge).set(value)
    return generate_latest(registry)


def _gauge(registry: CollectorRegistry, name: str, help_text: str, labels: tuple[str, ...]) -> Gauge:
    known = registry._names_to_collectors.get(name)
    return known if isinstance(known, Gauge) else Gauge(name, help_text, labels, registry=registry)


def _sources(status: Status) -> Iterator[tuple[str, str, dict[str, str], float]]:
    for one in status.sources:
        source, mark = {"source": one.source.name}, one.watermark.until
        heard = (status.at - (one.last_heard or one.source.created_at)).total_seconds()
        lag = (status.at - mark).total_seconds() if mark else float("inf")
        waiting = (status.at - one.quarantined_since).total_seconds() if one.quarantined_since else 0.0
        yield "vault_usage_source_last_heard_age_seconds", "Seconds since a source sent anything.", source, heard
        yield (
            "vault_usage_source_watermark_lag_seconds",
            "Seconds that are not known to have arrived whole.",
            source,
            lag,
        )
        yield "vault_usage_source_quarantined_events", "A source's events in quarantine.", source, one.quarantined
        yield "vault_usage_source_quarantine_oldest_seconds", "Age of a source's oldest in quarantine.", source, waiting
        for state in health.STATES:
            labels = source | {"state": state}
            yield "vault_usage_source_state", "1 for the state a source is in.", labels, float(one.health == state)


def _samples(status: Status) -> Iterator[tuple[str, str, dict[str, str], float]]:
    for cluster in status.clusters:
        labels = {"cluster": cluster.name}
        age = (status.at - cluster.beat_at).total_seconds() if cluster.beat_at else float("inf")
        yield "vault_cluster_heartbeat_age_seconds", "Seconds since the cluster finished a task.", labels, age
        yield "vault_queue_messages", "Messages waiting or being worked on.", labels, cluster.waiting
    for kind in status.work:
        for state, count in (
            ("ready", kind.ready),
            ("leased", kind.leased),
            ("expired", kind.expired),
            ("dead", kind.dead),
        ):
            yield "vault_work_items", "Leased work by kind and state.", {"kind": kind.name, "state": state}, count
        yield (
            "vault_work_oldest_due_seconds",
            "Age of the oldest due work.",
            {"kind": kind.name},
            kind.oldest_due_seconds,
        )
    yield "vault_outbox_messages", "News not yet delivered.", {}, status.outbox
    yield "vault_usage_unpaired_events", "Events not yet paired.", {}, status.unpaired
    yield (
        "vault_usage_pairing_lag_seconds",
        "For how long the oldest event not yet paired has waited.",
        {},
        status.unpaired_oldest_seconds,
    )
    yield "vault_usage_missing_months", "Months ahead without a partition.", {}, len(status.months_missing)
    yield "vault_usage_quarantined_events", "Events waiting in quarantine.", {}, status.quarantined
    yield (
        "vault_usage_quarantine_oldest_seconds",
        "Age of the oldest in quarantine.",
        {},
        status.quarantine_oldest_seconds,
    )
    yield from _sources(status)
    yield "vault_database_bytes", "Size of the books' database.", {}, status.database_bytes
    yield "vault_database_connections", "Connections to the books' database.", {}, status.connections
    if status.verification is not None:
        age = (status.at - status.verification.at).total_seconds()
        yield "vault_verify_age_seconds", "Seconds since every invariant was checked.", {}, age
        yield "vault_verify_broken_invariants", "Invariants broken at that time.", {}, len(status.verification.broken)
