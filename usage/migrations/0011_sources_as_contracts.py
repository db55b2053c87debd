"""A source's secrets are good for something stated, and its contract stays within reason.

Both tables are tiny: the locks last for moments. A contract from before that lies outside is brought to the edge.
"""

import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.migrations import RunSQL

import usage.models.source

WITHIN = """
update usage_source
set cadence_seconds = greatest(1, least(cadence_seconds, 2592000)), lateness_seconds = least(lateness_seconds, 2592000),
    past_days = greatest(1, least(past_days, 3650)), future_seconds = least(future_seconds, 86400)
where cadence_seconds not between 1 and 2592000 or lateness_seconds > 2592000
   or past_days not between 1 and 3650 or future_seconds > 86400
"""


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0010_amendments_stand"),
    ]

    operations = [
        migrations.AddField(
            model_name="sourcecredential",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                default=usage.models.source.every_scope,
                db_default=["events", "heartbeats", "manifests"],
                size=None,
            ),
        ),
        RunSQL(WITHIN, RunSQL.noop),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cadence_seconds__range", (1, 2592000)),
                    ("lateness_seconds__lte", 2592000),
                    ("future_seconds__lte", 86400),
                    ("past_days__range", (1, 3650)),
                ),
                name="source_contract_within_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcecredential",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scopes__contained_by", ["events", "heartbeats", "manifests"]), ("scopes__len__gte", 1)
                ),
                name="source_credential_is_good_for_something",
            ),
        ),
    ]
