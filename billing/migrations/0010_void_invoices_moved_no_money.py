"""A void invoice was neither paid nor credited, in part or whole."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_runs_on_unconfirmed_usage")]

    operations = [
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "void"), _negated=True),
                    models.Q(("credited", 0), ("settled", 0)),
                    _connector="OR",
                ),
                name="void_invoice_moved_no_money",
            ),
        ),
    ]
