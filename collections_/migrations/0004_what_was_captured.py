"""A charge keeps what the gateway captured; a payment of it is just that."""

from django.db import migrations, models

from core import sql

CONDITION = models.Q(
    models.Q(
        ("captured__gt", 0),
        ("outcome", "succeeded"),
        models.Q(("gateway_charge_id", ""), _negated=True),
        models.Q(("captured_currency", ""), _negated=True),
    ),
    models.Q(
        models.Q(("outcome", "succeeded"), _negated=True),
        ("captured__isnull", True),
        ("captured_currency", ""),
        ("gateway_charge_id", ""),
    ),
    _connector="OR",
)


class Migration(migrations.Migration):
    atomic = True
    dependencies = [("collections", "0003_guards")]

    operations = [
        migrations.AddField(
            model_name="chargeattempt",
            name="captured",
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=24, null=True),
        ),
        migrations.AddField(
            model_name="chargeattempt",
            name="captured_currency",
            field=models.CharField(blank=True, db_default="", default="", max_length=3),
        ),
        migrations.RunSQL(
            "update collections_chargeattempt set captured = amount, captured_currency = currency"
            " where outcome = 'succeeded'",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveConstraint(model_name="chargeattempt", name="attempt_succeeds_exactly_with_a_charge"),
        migrations.AddConstraint(
            model_name="chargeattempt",
            constraint=models.CheckConstraint(condition=CONDITION, name="attempt_succeeds_exactly_with_a_charge"),
        ),
        migrations.RunSQL(sql.load("collections_", "guard_captures"), "drop function collections_capture_guard()"),
        migrations.RunSQL(
            "create trigger collections_payment_captured before insert on collections_payment for each row"
            " when (new.attempt_id is not null) execute function collections_capture_guard()",
            "drop trigger collections_payment_captured on collections_payment",
        ),
    ]
