"""The database writes the audit trail itself, and refuses a change that nobody signs."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from core.audit import acting
from core.models import AuditEntry
from core.triggers import append_only, audited

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def probe(db: None) -> None:
    """A table of this test's own with the audit trigger."""
    execute("create table probe (id bigint primary key, name text, password text, account_id bigint)")
    execute(audited("probe").sql)


def execute(statement: Any, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def trail() -> list[tuple[str, str, Any, Any]]:
    return list(
        AuditEntry.objects.filter(table="probe").order_by("pk").values_list("actor", "operation", "before", "after")
    )


@pytest.mark.parametrize("statement", ["insert into probe values (1)", "update probe set name = 'x'"])
def test_a_change_without_an_actor_is_refused(statement: str) -> None:
    with acting("system:test"):
        execute("insert into probe values (7)")
    with pytest.raises(DatabaseError, match="needs an actor"), transaction.atomic():
        execute(statement)


def test_an_update_records_the_columns_that_differ() -> None:
    with acting("user:ada@example.com", "typing mistake"):
        execute("insert into probe values (1, 'Ada', 'secret', 5)")
        execute("update probe set name = 'Eda'")
        execute("update probe set name = 'Eda'")
        execute("delete from probe")
    whole = {"id": 1, "name": "Ada", "password": "***", "account_id": 5}
    assert trail() == [
        ("user:ada@example.com", "insert", None, whole),
        ("user:ada@example.com", "update", {"name": "Ada"}, {"name": "Eda"}),
        ("user:ada@example.com", "delete", whole | {"name": "Eda"}, None),
    ]
    entry = AuditEntry.objects.filter(table="probe").order_by("pk").first()
    assert entry and (entry.table, entry.row, entry.account_id, entry.reason) == ("probe", "1", 5, "typing mistake")


def test_a_changed_secret_is_seen_but_not_shown() -> None:
    with acting("user:ada@example.com"):
        execute("insert into probe values (1, 'Ada', 'old', 5)")
        execute("update probe set password = 'new'")
    assert trail()[1][2:] == ({"password": "***"}, {"password": "***"})


def test_the_outer_actor_signs_again_after_the_inner_one() -> None:
    with acting("run:1"):
        with acting("user:ada@example.com"):
            execute("insert into probe values (1)")
        execute("insert into probe values (2)")
    assert [actor for actor, *_ in trail()] == ["user:ada@example.com", "run:1"]


def test_an_actor_does_not_outlive_its_block() -> None:
    with acting("run:1"):
        execute("insert into probe values (1)")
    with pytest.raises(DatabaseError, match="needs an actor"), transaction.atomic():
        execute("insert into probe values (2)")


@pytest.mark.parametrize("statement", ["update {} set id = 2", "delete from {}", "truncate {}"])
@pytest.mark.parametrize("table", ["core_auditentry", "kept"])
def test_what_is_append_only_refuses_everything_else(statement: str, table: str) -> None:
    execute("create table kept (id bigint)")
    execute(append_only("kept").sql)
    execute("insert into kept values (1)")
    with acting("run:1"):
        execute("insert into probe values (1)")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(statement.format(table))
