"""Find what was mixed as fast as what overlapped: both hold a month's accounts.

Built beside readers and writers; a try that was killed leaves an invalid index, to be dropped before the next.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("usage", "0018_keys_in_byte_order")]

    operations = [
        AddIndexConcurrently(
            model_name="pastproblem",
            index=models.Index(
                condition=models.Q(("kind__in", ["overlap", "mixed"])),
                fields=["gone_at"],
                name="past_contradiction_by_end",
            ),
        ),
        RemoveIndexConcurrently(model_name="pastproblem", name="past_overlap_by_end"),
    ]
