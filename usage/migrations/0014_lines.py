"""What pairing needs to take a strand (resource, meter) up at any moment: what kind of signal each row came from.

Adds columns that need no rewrite, and fills two of the small table of problems from its events.
"""

from django.db import migrations, models
from django.db.migrations import RunSQL

FILL = """
update usage_pairingproblem p set meter = e.meter, type = e.type
from usage_event e where e.resource = p.resource and e.time = p.at and e.id = p.event_id
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0013_hours_of_heartbeats")]

    operations = [
        migrations.AddField(
            model_name="interval", name="gauged", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(
            model_name="pairingproblem",
            name="meter",
            field=models.CharField(default="duration", max_length=100),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="pairingproblem",
            name="type",
            field=models.CharField(
                choices=[("open", "Open"), ("close", "Close"), ("measured", "Measured"), ("gauge", "Gauge")],
                default="open",
                max_length=8,
            ),
            preserve_default=False,
        ),
        RunSQL(FILL, RunSQL.noop),
        migrations.AlterField(
            model_name="pairingproblem",
            name="kind",
            field=models.CharField(
                choices=[
                    ("orphan_close", "Close without an open"),
                    ("double_open", "Opened while open"),
                    ("overlap", "Overlaps another product"),
                    ("empty", "Zero length"),
                    ("mixed", "Switched and given a level"),
                ],
                max_length=12,
            ),
        ),
    ]
