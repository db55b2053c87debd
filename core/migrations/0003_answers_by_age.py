"""Find old answers without reading all of them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("core", "0002_mail_is_handed_over_once")]

    operations = [
        AddIndexConcurrently(
            model_name="idempotencykey", index=models.Index(fields=["created_at"], name="answer_by_age")
        ),
    ]
