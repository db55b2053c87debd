"""What an operator checks first, in one command: each finding says what to do."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor

from core import clock
from monitoring import status
from usage import health, partitions, watching

FREE_BYTES: Final = 500_000_000


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that was looked at. ``remedy`` is empty when it is well."""

    name: str
    finding: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        return not self.remedy


def examine() -> list[Symptom]:
    """Look at everything; an examination that itself fails is a symptom, and the others go on."""
    return [symptom for look in EXAMINATIONS for symptom in _look(look)]


def _look(look: Callable[[], Iterator[Symptom]]) -> list[Symptom]:
    try:
        return list(look())
    except (Error, OSError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return [
            Symptom(
                look.__name__.strip("_").replace("_", " "), first, "Mend this first; other findings may follow from it."
            )
        ]


def _database() -> Iterator[Symptom]:
    for alias in settings.DATABASES:
        with connections[alias].cursor() as cursor:
            cursor.execute("select current_setting('server_version'), current_setting('synchronous_commit')")
            version, durable = cursor.fetchone()
        remedy = "" if durable == "on" else "Set synchronous_commit to on: an acknowledged event must be on disk."
        yield Symptom(f"database {alias}", f"PostgreSQL {version}, synchronous_commit {durable}", remedy)


def _migrations() -> Iterator[Symptom]:
    for alias in settings.DATABASES:
        executor = MigrationExecutor(connections[alias])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        remedy = "Run `manage.py migrate`." if plan else ""
        yield Symptom(f"migrations {alias}", f"{len(plan)} waiting", remedy)


def _documents() -> Iterator[Symptom]:
    try:
        import weasyprint

        yield Symptom("PDF libraries", f"WeasyPrint {weasyprint.__version__}")
    except OSError as error:
        packages = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
        yield Symptom("PDF libraries", str(error).splitlines()[0], f"Run `apt-get install {packages}`.")


def _folders() -> Iterator[Symptom]:
    for name, folder in (("documents", settings.MEDIA_ROOT), ("mail outbox", settings.EMAIL_FILE_PATH)):
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
        free = shutil.disk_usage(path).free
        remedy = "" if free > FREE_BYTES else "Free some space: less than 500 MB is left."
        yield Symptom(name, f"writable, {free // 1_000_000:,} MB free", remedy)


def _cache() -> Iterator[Symptom]:
    cache.set("doctor", "well", 10)
    kind = "Redis" if settings.REDIS_URL else "the database"
    yield Symptom(
        "cache", f"in {kind}", "" if cache.get("doctor") == "well" else "The cache forgets; see docs/runbooks.md."
    )


def _workers() -> Iterator[Symptom]:
    now = status.take(at=clock.now())
    for cluster in now.clusters:
        seen = f"last beat {cluster.beat_at:%Y-%m-%d %H:%M:%S} UTC" if cluster.beat_at else "never seen"
        remedy = "" if cluster.alive else "Start the workers (bin/up, or the Procfile's worker)."
        yield Symptom(f"workers {cluster.name}", f"{seen}, {cluster.waiting} messages", remedy)
    for kind in now.work:
        remedy = f"{kind.dead} gave up: see the status page, mend the cause and retry." if kind.dead else ""
        yield Symptom(kind.name.lower(), f"{kind.ready} ready, {kind.leased} leased, {kind.dead} dead", remedy)


def _sources() -> Iterator[Symptom]:
    silent = [one for one in watching.pulses(now=clock.now()) if one.health == health.SILENT]
    for one in silent:
        remedy = f"Call {one.source.owner or 'whoever runs it'}; close no month before it speaks (docs/runbooks.md)."
        yield Symptom(f"source {one.source.name}", one.explanation, remedy)
    if not silent:
        yield Symptom("sources of usage", "none is silent")


def _months() -> Iterator[Symptom]:
    gaps = partitions.missing(clock.now())
    remedy = "Start the clock and the workers: their tick makes it; the status page shows what it says." if gaps else ""
    finding = (
        f"without a partition: {', '.join(map(str, gaps))}" if gaps else f"{len(partitions.there())} in partitions"
    )
    yield Symptom("months of usage", finding, remedy)


EXAMINATIONS: Final = (_database, _migrations, _cache, _documents, _folders, _workers, _sources, _months)
