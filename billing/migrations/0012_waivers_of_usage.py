"""Waivers of usage that is not billed, each said once and withdrawn once; and how much of a month still waits."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.migrations import RunSQL

from core.triggers import audited

STAND = """
create function billing_only_withdraw() returns trigger language plpgsql as $$
declare
    allowed billing_usagewaiver := old;
begin
    if tg_op = 'UPDATE' and old.withdrawn_at is null then
        allowed.withdrawn_at := new.withdrawn_at;
        allowed.withdrawn_by := new.withdrawn_by;
    end if;
    if tg_op <> 'UPDATE' or new is distinct from allowed then
        raise exception 'a waiver may only be withdrawn, once' using errcode = '42501';
    end if;
    return new;
end $$;
create trigger billing_usagewaiver_stands before update or delete on billing_usagewaiver
    for each row execute function billing_only_withdraw();
create trigger billing_usagewaiver_no_truncate before truncate on billing_usagewaiver
    for each statement execute function vault_forbid();
"""
BACK = """
drop trigger billing_usagewaiver_no_truncate on billing_usagewaiver;
drop trigger billing_usagewaiver_stands on billing_usagewaiver;
drop function billing_only_withdraw();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_keys_may_read_contracts"),
        ("billing", "0011_dates_and_fineness"),
    ]

    operations = [
        migrations.CreateModel(
            name="UnbilledCount",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("unowned", models.PositiveIntegerField()),
                ("unpriced", models.PositiveIntegerField()),
                ("strangers", models.PositiveIntegerField()),
                ("counted_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="count_month_is_a_first_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageWaiver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("unowned", "Unowned"), ("unpriced", "Unpriced")], max_length=8)),
                ("month", models.DateField()),
                ("product", models.CharField(max_length=200)),
                ("resource", models.CharField(blank=True, default="", max_length=200)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("amount", models.DecimalField(decimal_places=12, max_digits=38)),
                ("reason", models.TextField()),
                ("accepted_by", models.CharField(max_length=300)),
                ("accepted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("withdrawn_by", models.CharField(blank=True, default="", max_length=300)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_waivers",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "ordering": ["-accepted_at", "-id"],
                "indexes": [models.Index(fields=["month", "kind"], name="waiver_by_month")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="waiver_month_is_a_first_day"),
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))), name="waiver_is_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("amount__lt", 1000000000000000000000000)),
                        name="waiver_is_of_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account", None), ("kind", "unowned"), models.Q(("resource", ""), _negated=True)),
                            models.Q(("account__isnull", False), ("kind", "unpriced"), ("resource", "")),
                            _connector="OR",
                        ),
                        name="waiver_names_what_it_is_of",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True),
                            models.Q(("accepted_by", ""), _negated=True),
                            models.Q(("product", ""), _negated=True),
                        ),
                        name="waiver_is_signed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at", None), ("withdrawn_by", "")),
                            models.Q(
                                ("withdrawn_at__gte", models.F("accepted_at")),
                                ("withdrawn_at__isnull", False),
                                models.Q(("withdrawn_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="waiver_withdrawal_is_signed",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "unowned"), ("withdrawn_at", None)),
                        fields=("month", "resource", "product"),
                        name="one_waiver_of_unowned_usage",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "unpriced"), ("withdrawn_at", None)),
                        fields=("account", "product", "start"),
                        name="one_waiver_of_unpriced_usage",
                    ),
                ],
            },
        ),
        RunSQL(STAND, BACK),
        audited("billing_usagewaiver"),
    ]
