"""Keep what was a problem of pairing, so that a month's close asks what was known at its cut-off and not what is now.

A new table and a trigger on the small one of problems; neither reader nor writer waits. What was explained before is
not known any more.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations import RunSQL

KEEP = """
create function usage_keep_problem() returns trigger language plpgsql as $$
begin
    -- History is written one at a time, so this moment lies before every cut-off that does not know it.
    insert into usage_pastproblem (event_id, resource, meter, product, type, kind, at, seen_at, gone_at)
    values (old.event_id, old.resource, old.meter, old.product, old.type, old.kind, old.at, old.seen_at,
            greatest(clock_timestamp(), old.seen_at));
    return null;
end $$;
create trigger usage_pairingproblem_is_kept after delete on usage_pairingproblem
    for each row execute function usage_keep_problem();
create trigger usage_pairingproblem_change_is_kept after update on usage_pairingproblem
    for each row when (old is distinct from new) execute function usage_keep_problem();
create trigger usage_pastproblem_refuses_update before update or delete on usage_pastproblem
    for each row execute function usage_forbid();
create trigger usage_pastproblem_never_emptied before truncate on usage_pastproblem
    for each statement execute function usage_forbid();
"""
BACK = """
drop trigger usage_pastproblem_never_emptied on usage_pastproblem;
drop trigger usage_pastproblem_refuses_update on usage_pastproblem;
drop trigger usage_pairingproblem_change_is_kept on usage_pairingproblem;
drop trigger usage_pairingproblem_is_kept on usage_pairingproblem;
drop function usage_keep_problem();
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0016_archives")]

    operations = [
        migrations.CreateModel(
            name="PastProblem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("resource", models.CharField(max_length=200)),
                ("meter", models.CharField(max_length=100)),
                ("product", models.CharField(max_length=200)),
                (
                    "type",
                    models.CharField(
                        choices=[("open", "Open"), ("close", "Close"), ("measured", "Measured"), ("gauge", "Gauge")],
                        max_length=8,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("orphan_close", "Close without an open"),
                            ("double_open", "Opened while open"),
                            ("overlap", "Overlaps another product"),
                            ("empty", "Zero length"),
                            ("mixed", "Switched and given a level"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("gone_at", models.DateTimeField()),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="usage.event",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["resource", "at"], name="past_problem_by_resource"),
                    models.Index(
                        condition=models.Q(("kind", "overlap")), fields=["gone_at"], name="past_overlap_by_end"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("gone_at__gte", models.F("seen_at"))), name="problem_seen_before_gone"
                    )
                ],
            },
        ),
        RunSQL(KEEP, BACK),
    ]
