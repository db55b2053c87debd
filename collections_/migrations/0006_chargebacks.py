"""Chargebacks: money that a bank took back, and the allocations it undid."""

import re

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from core import sql
from core.triggers import append_only, audited

TRIGGERS = """
create constraint trigger collections_reversal_applied after insert on collections_allocationreversal
    deferrable initially deferred for each row execute function collections_payment_applied();
create trigger collections_reversal_guard after insert on collections_allocationreversal
    for each row execute function collections_reversal_guard();
create constraint trigger collections_chargeback_counts after insert on collections_chargeback
    deferrable initially deferred for each row execute function collections_chargeback_counts();
"""
DROP = """
drop trigger collections_chargeback_counts on collections_chargeback;
drop trigger collections_reversal_guard on collections_allocationreversal;
drop trigger collections_reversal_applied on collections_allocationreversal;
"""


def as_before() -> str:
    """Return the sum of allocations as an earlier migration knew it."""
    guards = sql.load("collections_", "guards")
    found = re.findall(
        r"^create or replace function collections_payment_applied\(\).*?^end \$\$;", guards, re.MULTILINE | re.DOTALL
    )
    return f"drop function collections_chargeback_counts(), collections_reversal_guard(); {found[0]}"


class Migration(migrations.Migration):
    dependencies = [("collections", "0005_receipts_are_dated"), ("core", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Chargeback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=200, unique=True)),
                ("amount", models.DecimalField(decimal_places=4, max_digits=24)),
                ("reason", models.CharField(max_length=500)),
                ("taken_on", models.DateField()),
                ("recorded_by", models.CharField(max_length=300)),
                ("recorded_at", models.DateTimeField()),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargebacks",
                        to="collections.payment",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(condition=Q(amount__gt=0), name="chargeback_is_positive"),
                    models.CheckConstraint(
                        condition=~Q(reason="") & ~Q(reference=""), name="chargeback_says_why_and_which"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AllocationReversal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=4, max_digits=24)),
                (
                    "allocation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="collections.allocation",
                    ),
                ),
                (
                    "chargeback",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="collections.chargeback",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(amount__gt=0), name="reversal_is_positive"),
                    models.UniqueConstraint(fields=["chargeback", "allocation"], name="one_reversal_per_chargeback"),
                ],
            },
        ),
        migrations.RunSQL(sql.load("collections_", "guard_chargebacks"), as_before()),
        migrations.RunSQL(TRIGGERS, DROP),
        append_only("collections_chargeback"),
        append_only("collections_allocationreversal"),
        audited("collections_chargeback", "insert"),
    ]
