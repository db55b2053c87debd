"""Refunds: money given back through the gateway, counted on its payment from the intent on."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Now

from core import sql
from core.triggers import audited

OUTCOMES = ("requested", "refused", "created", "submitting", "unknown", "manual", "succeeded", "declined")
TRIGGERS = """
create trigger collections_refund_guard before insert or update or delete on collections_refund
    for each row execute function collections_refund_guard();
create constraint trigger collections_refund_adds_up after insert or update on collections_refund
    deferrable initially deferred for each row execute function collections_returned_adds_up();
create constraint trigger collections_payment_returned_adds_up after insert or update of refunded on collections_payment
    deferrable initially deferred for each row execute function collections_returned_adds_up();
create constraint trigger collections_chargeback_adds_up after insert on collections_chargeback
    deferrable initially deferred for each row execute function collections_returned_adds_up();
drop trigger collections_chargeback_counts on collections_chargeback;
"""
DROP = """
create constraint trigger collections_chargeback_counts after insert on collections_chargeback
    deferrable initially deferred for each row execute function collections_chargeback_counts();
drop trigger collections_chargeback_adds_up on collections_chargeback;
drop trigger collections_payment_returned_adds_up on collections_payment;
drop trigger collections_refund_adds_up on collections_refund;
drop trigger collections_refund_guard on collections_refund;
"""
STATES = [("ready", "Ready"), ("leased", "Leased"), ("done", "Done"), ("dead", "Dead")]


class Migration(migrations.Migration):
    dependencies = [("collections", "0007_gateway_events"), ("core", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.CharField(choices=STATES, default="ready", max_length=8)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence", models.BigIntegerField(default=0)),
                ("run_after", models.DateTimeField(db_default=Now())),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True, default="")),
                ("key", models.CharField(max_length=80, unique=True)),
                ("amount", models.DecimalField(decimal_places=4, max_digits=24)),
                ("reason", models.CharField(max_length=500)),
                (
                    "outcome",
                    models.CharField(choices=[(name, name.capitalize()) for name in OUTCOMES], max_length=10),
                ),
                ("gateway_refund_id", models.CharField(blank=True, default="", max_length=100)),
                ("decline_code", models.CharField(blank=True, default="", max_length=40)),
                ("requested_by", models.CharField(max_length=300)),
                ("requested_at", models.DateTimeField()),
                ("decided_by", models.CharField(blank=True, default="", max_length=300)),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="collections.payment"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=Q(("state__in", ["ready", "leased"])), fields=["run_after"], name="refund_waiting"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(condition=Q(("amount__gt", 0)), name="refund_is_positive"),
                    models.CheckConstraint(condition=~Q(("reason", "")), name="refund_has_a_reason"),
                    models.CheckConstraint(
                        condition=Q(decided_by="") | ~Q(decided_by=F("requested_by")),
                        name="refund_decided_by_a_second_person",
                    ),
                    models.CheckConstraint(
                        condition=Q(outcome="succeeded") & ~Q(gateway_refund_id="")
                        | ~Q(outcome="succeeded") & Q(gateway_refund_id=""),
                        name="refund_succeeds_exactly_with_the_gateways_name",
                    ),
                    models.UniqueConstraint(
                        condition=~Q(("gateway_refund_id", "")),
                        fields=("gateway_refund_id",),
                        name="one_refund_per_gateway_refund",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            sql.load("collections_", "guard_refunds"),
            "drop function collections_returned_adds_up(), collections_refund_guard()",
        ),
        migrations.RunSQL(TRIGGERS, DROP),
        audited("collections_refund", "insert or update of outcome"),
    ]
