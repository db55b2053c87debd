"""Find what runs, and what ran, for very long among all intervals: both are few, and indexed by themselves.

What was ever longer than 30 days is indexed; the limit in force is never below that (usage.doubts). Built beside
readers and writers; a try that was killed leaves an invalid index, to be dropped before the next.
"""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("usage", "0019_past_contradictions")]

    operations = [
        migrations.RunSQL(
            "create index concurrently interval_running on usage_interval (opened)"
            " where superseded_at is null and closed is null",
            "drop index concurrently interval_running",
        ),
        migrations.RunSQL(
            "create index concurrently interval_long on usage_interval (opened)"
            " where superseded_at is null and closed - opened > interval '30 days'",
            "drop index concurrently interval_long",
        ),
    ]
