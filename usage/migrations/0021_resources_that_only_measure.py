"""Find by its app what a source only measures, naming no account, and whether an app is owned as a whole.

Built month by month beside readers and writers; a try that was killed leaves an invalid index, which a repeat drops.
An index entry costs intake only for such events.
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

from core import databases

CONDITION = "type = 'measured' and account = '' and app <> ''"
MONTHS = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'usage_event'::regclass order by 1
"""


def build(apps: Any, schema_editor: Any) -> None:
    """Build each month's part by itself, then join them under the index of the whole."""
    connection = schema_editor.connection
    if connection.alias != databases.usage():
        return
    with connection.cursor() as cursor:
        cursor.execute(f"create index if not exists event_by_app on only usage_event (app, resource) where {CONDITION}")
        cursor.execute(MONTHS)
        for (month,) in cursor.fetchall():
            name = f"{month}_app_resource_idx"  # as the database names it in the months to come
            cursor.execute("select indisvalid from pg_index where indexrelid = to_regclass(%s)", [name])
            row = cursor.fetchone()
            if row and not row[0]:
                cursor.execute(f"drop index {name}")
            if not (row and row[0]):
                cursor.execute(f"create index concurrently {name} on {month} (app, resource) where {CONDITION}")
            cursor.execute(f"alter index event_by_app attach partition {name}")


def drop(apps: Any, schema_editor: Any) -> None:
    """Take the index away from all months."""
    if schema_editor.connection.alias == databases.usage():
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("drop index if exists event_by_app")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("usage", "0020_intervals_in_doubt")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(build, drop, atomic=False)],
            state_operations=[
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(
                        condition=Q(("account", ""), ("type", "measured"), Q(("app", ""), _negated=True)),
                        fields=["app", "resource"],
                        name="event_by_app",
                    ),
                )
            ],
        ),
        AddIndexConcurrently(
            model_name="ownership",
            index=models.Index(
                condition=Q(("resource", ""), ("superseded_at", None)), fields=["app"], name="ownership_of_whole_apps"
            ),
        ),
    ]
