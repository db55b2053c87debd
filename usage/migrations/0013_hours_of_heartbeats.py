"""Count heartbeats by the hour, so that a quiet hour is told from a gap. A new, empty table: nothing is locked."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0012_events_by_month"),
    ]

    operations = [
        migrations.CreateModel(
            name="HeartbeatHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("beats", models.PositiveIntegerField()),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="usage.source",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "hour"), name="one_count_of_heartbeats_per_hour")
                ],
            },
        ),
    ]
