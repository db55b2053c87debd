"""The usage store may leave: with a database of its own, usage goes there and what was used is answered from there."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.usage.factories import closed, measured, opened
from tests.world import World


@pytest.fixture
def elsewhere(world: World) -> Iterator[str]:
    """An empty database beside the books', with the usage store migrated into it."""
    parts = urlsplit(world.database_url)
    name = f"{parts.path.removeprefix('/')}_usage"
    world.sql(f"drop database if exists {name} with (force)")
    world.sql(f"create database {name}")
    url = urlunsplit(parts._replace(path=f"/{name}"))
    world.manage("migrate", "--database", "usage", USAGE_DATABASE_URL=url)
    yield url
    world.sql(f"drop database {name} with (force)")


ASK = """
from core.periods import Month
from usage import completeness, cutoff, metering
span = Month(2026, 10).span
at = cutoff.freeze()
for row in metering.account_usage(["acme"], [span], cutoff=at):
    print(row.product, row.seconds_or_quantity)
print(completeness.strangers(span, cutoff=at))
"""


READY = "from django.test import Client; print(Client().get('/readyz').content.decode())"


def test_is_not_ready_without_it(world: World, elsewhere: str) -> None:
    def ready(url: str) -> str:
        return world.manage("shell", "--no-imports", "-c", READY, USAGE_DATABASE_URL=url).stdout

    assert "ok" in ready(elsewhere)
    with psycopg.connect(elsewhere) as store:
        newest = "select max(id) from django_migrations where app = 'usage'"
        store.execute(f"delete from django_migrations where id = ({newest})")
    assert "migrations_waiting" in ready(elsewhere)
    assert "unavailable" in ready(f"{elsewhere}_gone")


def test_usage_lives_in_a_database_of_its_own(world: World, elsewhere: str, tmp_path: Path) -> None:
    file = tmp_path / "usage.ndjson"
    events = [opened(0, account="acme", app="shop"), closed(5), measured(1, "2.5")]
    file.write_text("\n".join(map(json.dumps, events)))
    apart = {"USAGE_DATABASE_URL": elsewhere}
    world.manage("create_source", "dynos", **apart)
    world.manage("import_usage", str(file), "--source", "dynos", **apart)
    asked = world.manage("shell", "--no-imports", "-c", ASK, **apart).stdout.splitlines()
    assert asked == ["requests 2.5", "standard-1x 18000", "['acme']"]
    with psycopg.connect(elsewhere) as store:
        assert store.execute("select count(*) from usage_event").fetchall() == [(3,)]
        foreign = "select count(*) from pg_tables where schemaname = 'public' and tablename !~ '^(usage_|django_migr)'"
        assert store.execute(foreign).fetchall() == [(0,)], "nothing of the books lives here"
    assert world.value("select count(*) from usage_event") == 0
    assert world.value("select count(*) from core_auditentry where table_name = 'usage_source'") == 2
    assert "all hold" in world.manage("verify", **apart).stdout
