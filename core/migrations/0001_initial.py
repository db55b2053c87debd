"""The ground floor's tables, and the trigger functions that every app's migrations use."""

import django.db.models.functions.datetime
from django.db import migrations, models

from core import sql
from core.triggers import EverywhereSQL, append_only


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        EverywhereSQL(
            sql.load("core", "trigger_functions"),
            "drop function vault_audit(); drop function vault_forbid()",
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor", models.TextField()),
                ("reason", models.TextField()),
                ("request", models.TextField()),
                ("table", models.TextField(db_column="table_name")),
                ("row", models.TextField(db_column="row_id")),
                ("account_id", models.BigIntegerField(null=True)),
                ("operation", models.CharField(max_length=6)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["table", "row"], name="audit_by_row"),
                    models.Index(fields=["account_id", "-id"], name="audit_by_account"),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("credential", models.TextField()),
                ("key", models.CharField(max_length=200)),
                ("request_hash", models.CharField(max_length=64)),
                ("status", models.SmallIntegerField()),
                ("body", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("credential", "key"), name="one_answer_per_key")],
            },
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("ready", "Ready"), ("leased", "Leased"), ("done", "Done"), ("dead", "Dead")],
                        default="ready",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence", models.BigIntegerField(default=0)),
                ("run_after", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True, default="")),
                ("kind", models.CharField(max_length=60)),
                ("reference", models.CharField(max_length=120)),
                ("account_code", models.CharField(blank=True, default="", max_length=200)),
                ("recipient", models.EmailField(max_length=254)),
                ("subject", models.CharField(max_length=300)),
                ("text", models.TextField()),
                ("attachment_path", models.TextField(blank=True, default="")),
                ("attachment_name", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["ready", "leased"])),
                        fields=["run_after"],
                        name="mail_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "reference"), name="one_mail_per_kind_and_reference")
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=200)),
                ("payload", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("run_after", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_error", models.TextField(blank=True, default="")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("topic", "key"), name="one_announcement_per_fact")],
            },
        ),
        append_only("core_auditentry"),
    ]
