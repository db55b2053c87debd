"""The usage store can leave and be spread by resource: what the catalogue and the statements must keep to for that.

docs/scaling.md says how; a new table has its line there and here.
"""

import re
from pathlib import Path
from typing import Final

import pytest
from django.db import connections

from core import databases
from core.sql import ROOT

# The column that each table of many rows is spread by.
SPREAD: Final = {
    "usage_event": "resource",
    "usage_interval": "resource",
    "usage_ownership": "resource",
    "usage_unpaired": "resource",
    "usage_pairingproblem": "resource",
    "usage_pastproblem": "resource",
    "usage_amendment": "resource",
    "usage_eventkey": "event_id",
}
# Small tables that every node has a copy of, or the coordinator alone.
WHOLE: Final = {
    "usage_source", "usage_sourcecredential", "usage_feed", "usage_heartbeathour", "usage_hourfold", "usage_hourtotal",
    "usage_manifest", "usage_manifestsum", "usage_montharchive", "usage_quarantinedevent",
}  # fmt: skip
# Django's own keys over a number: one migration makes them (resource, id) before the tables are spread.
TO_BE_WIDENED: Final = {
    "usage_interval_pkey", "usage_ownership_pkey", "usage_unpaired_pkey", "usage_pairingproblem_pkey",
    "usage_pastproblem_pkey", "usage_amendment_pkey",
}  # fmt: skip
# Ownership of whole apps has no resource: it moves to a table of its own, which every node has.
OF_WHOLE_APPS: Final = {"one_owner_of_an_app_at_a_time"}
STATEMENTS: Final = sorted((ROOT / "usage" / "sql").glob("*.sql")) + sorted(
    (ROOT / "usage" / "invariants").glob("*.sql")
)
NAMED: Final = re.compile(r"\b(?:from|join|into|update|delete from)\s+(?:only\s+)?([a-z_]+)\b")
pytestmark = pytest.mark.django_db


def ask(statement: str) -> list[tuple[str, ...]]:
    with connections[databases.usage()].cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def tables() -> set[str]:
    """Return the tables of the usage store; a month's partition is its table's."""
    found = ask(
        "select relname from pg_class where relkind in ('r', 'p') and not relispartition and relname ~ '^usage_'"
    )
    return {name for (name,) in found}


def test_every_table_has_its_place() -> None:
    assert tables() == SPREAD.keys() | WHOLE
    told = (ROOT / "docs" / "scaling.md").read_text()
    assert [name for name in sorted(tables()) if f"`{name}`" not in told] == []


def foreign() -> set[tuple[str, ...]]:
    return set(ask("select conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f'"))


def crossing() -> set[tuple[str, ...]]:
    """Return the foreign keys of which one end alone is in the store."""
    return {pair for pair in foreign() if len({name.startswith("usage_") for name in pair}) == 2}


def lacking() -> set[str]:
    """Return the unique and exclusion keys of spread tables that lack the column these are spread by."""
    keys = ask(
        "select t.relname, i.relname, pg_get_indexdef(i.oid) from pg_index x"
        " join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid"
        " where (x.indisunique or x.indisexclusion) and not t.relispartition"
    )
    columns = {name: (table, text.partition(" WHERE ")[0].partition("(")[2]) for table, name, text in keys}
    return {
        n for n, (table, text) in columns.items() if table in SPREAD and not re.search(rf"\b{SPREAD[table]}\b", text)
    }


def test_no_foreign_key_leaves_the_store_or_enters_it() -> None:
    assert crossing() == set()


def test_no_foreign_key_binds_a_table_of_many_rows() -> None:
    assert {pair for pair in foreign() if SPREAD.keys() & set(pair)} == set()


def test_every_key_carries_the_column_that_its_table_is_spread_by() -> None:
    assert lacking() == TO_BE_WIDENED | OF_WHOLE_APPS


def test_finds_a_key_that_would_hold_the_store_back() -> None:
    with connections[databases.usage()].cursor() as cursor:
        cursor.execute("create unique index not_by_resource on usage_interval (product, opened)")
        cursor.execute(
            "alter table usage_source add column account bigint references accounts_account initially deferred"
        )
    assert "not_by_resource" in lacking() and ("usage_source", "accounts_account") in crossing()


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_statements_stay_inside_the_store(path: Path) -> None:
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("--"))
    everywhere = {name for (name,) in ask("select tablename from pg_tables where schemaname = 'public'")}
    outside = {name for name in NAMED.findall(text) if name in everywhere and not name.startswith("usage_")}
    assert outside == set()


def test_rows_are_locked_only_in_tables_that_are_whole() -> None:
    locking = {path.stem: path.read_text() for path in STATEMENTS if "for update" in path.read_text()}
    assert {stem for stem, text in locking.items() if SPREAD.keys() & set(NAMED.findall(text))} == set()


def test_functions_of_the_store_name_nothing_else() -> None:
    bodies = ask("select proname, prosrc from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
                 " where n.nspname = 'public' and proname ~ '^usage_'")  # fmt: skip
    everywhere = {name for (name,) in ask("select tablename from pg_tables where schemaname = 'public'")}
    found = {(name, table) for name, body in bodies for table in NAMED.findall(body) if table in everywhere}
    assert {pair for pair in found if not pair[1].startswith("usage_")} == set()
