"""Keep what gateways tell us, once and as it came."""

from django.db import migrations, models
from django.db.models.functions import Now

from core import sql


class Migration(migrations.Migration):
    dependencies = [("collections", "0006_chargebacks")]

    operations = [
        migrations.CreateModel(
            name="GatewayEvent",
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
                ("run_after", models.DateTimeField(db_default=Now())),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True, default="")),
                ("gateway", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=60)),
                ("body", models.TextField()),
                ("received_at", models.DateTimeField()),
                ("outcome", models.CharField(blank=True, default="", max_length=300)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["ready", "leased"])),
                        fields=["run_after"],
                        name="gateway_event_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("gateway", "event_id"), name="one_gateway_event_per_id")
                ],
            },
        ),
        migrations.RunSQL(sql.load("collections_", "guard_events"), "drop function collections_event_guard()"),
        migrations.RunSQL(
            "create trigger collections_gatewayevent_guard before update or delete on collections_gatewayevent"
            " for each row execute function collections_event_guard()",
            "drop trigger collections_gatewayevent_guard on collections_gatewayevent",
        ),
    ]
