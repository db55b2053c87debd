"""Say who asked for a charge and for which rung, and keep each day of collecting as a row."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("billing", "0001_initial"),
        ("collections", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CollectionsDay",
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
                ("as_of", models.DateField(unique=True)),
                ("summary", models.JSONField(blank=True, default=dict)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-as_of"],
            },
        ),
        migrations.AddField(
            model_name="chargeattempt",
            name="requested_by",
            field=models.CharField(default="system:collections", max_length=300),
        ),
        migrations.AddField(
            model_name="chargeattempt",
            name="resolution",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="chargeattempt",
            name="step",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
        migrations.AlterField(
            model_name="chargeattempt",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("created", "Created"),
                    ("submitting", "Submitting"),
                    ("succeeded", "Succeeded"),
                    ("declined", "Declined"),
                    ("unknown", "Unknown"),
                    ("manual", "Manual"),
                    ("cancelled", "Cancelled"),
                ],
                default="created",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="chargeattempt",
            index=models.Index(fields=["created_on"], name="attempt_by_day"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["-received_on", "-id"], name="payment_recent"),
        ),
        migrations.AddConstraint(
            model_name="chargeattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("step", ""), _negated=True), models.Q(("outcome", "cancelled"), _negated=True)
                ),
                fields=("invoice", "step"),
                name="one_charge_per_step",
            ),
        ),
        migrations.AddConstraint(
            model_name="chargeattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "succeeded"), models.Q(("gateway_charge_id", ""), _negated=True)),
                    models.Q(models.Q(("outcome", "succeeded"), _negated=True), ("gateway_charge_id", "")),
                    _connector="OR",
                ),
                name="attempt_succeeds_exactly_with_a_charge",
            ),
        ),
        migrations.AddConstraint(
            model_name="chargeattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome", "declined"), models.Q(("decline_class", ""), ("decline_code", "")), _connector="OR"
                ),
                name="only_a_decline_has_a_code",
            ),
        ),
    ]
