"""Keep on a run which sources had not confirmed its month, and why it did not wait; without a reason none is opened.

Two columns with a constant default: nothing is rewritten.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_contracts_hold"),
    ]

    operations = [
        migrations.AddField(model_name="run", name="unconfirmed", field=models.JSONField(db_default=[], default=list)),
        migrations.AddField(
            model_name="run",
            name="unconfirmed_reason",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("shadow", True),
                    ("unconfirmed", []),
                    models.Q(("unconfirmed_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="run_on_unconfirmed_usage_has_a_reason",
            ),
        ),
    ]
