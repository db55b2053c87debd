"""Find what is believed of a strand at a moment, and the problems around it, however long their history is.

Built beside readers and writers; a try that was killed leaves an invalid index, to be dropped before the next.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("usage", "0014_lines")]

    operations = [
        AddIndexConcurrently(
            model_name="interval",
            index=models.Index(
                condition=models.Q(("superseded_at", None)),
                fields=["resource", "meter", "opened"],
                name="interval_believed",
            ),
        ),
        AddIndexConcurrently(
            model_name="pairingproblem", index=models.Index(fields=["resource", "at"], name="problem_by_resource")
        ),
        migrations.AlterField(model_name="pairingproblem", name="resource", field=models.CharField(max_length=200)),
    ]
