"""Triggers as migration operations: the audit trail and the tables that never change."""

from typing import Any

from django.db.migrations import RunSQL


class EverywhereSQL(RunSQL):
    """SQL for every database, whatever the router says: the usage store needs our trigger functions too."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._run_sql(schema_editor, self.sql)  # type: ignore[attr-defined]

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._run_sql(schema_editor, self.reverse_sql)  # type: ignore[attr-defined]


def audited(table: str, events: str = "insert or update or delete") -> RunSQL:
    """Record every change of ``table`` with its actor; a change without an actor is refused."""
    return RunSQL(
        f"create trigger {table}_audited after {events} on {table} for each row execute function vault_audit()",
        f"drop trigger {table}_audited on {table}",
    )


def append_only(table: str) -> RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE of ``table``, even to its owner."""
    return RunSQL(
        f"create trigger {table}_append_only before update or delete on {table}"
        f" for each row execute function vault_forbid();"
        f"create trigger {table}_no_truncate before truncate on {table}"
        f" for each statement execute function vault_forbid()",
        f"drop trigger {table}_append_only on {table}; drop trigger {table}_no_truncate on {table}",
    )
