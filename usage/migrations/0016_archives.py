"""Months of events that were moved to a file; the database refuses events of such a month until it is restored."""

from django.db import migrations, models
from django.db.migrations import RunSQL

# One function per step, each on the partition of one month alone: neither intake nor a reader of another month waits.
FUNCTIONS = """
create function usage_event_archived() returns trigger language plpgsql as $$
begin
    raise exception 'the events of % are archived: restore the month first', to_char(new.time at time zone 'UTC', 'YYYY-MM')
        using errcode = '23514', constraint = 'usage_event_archived', table = 'usage_event';
end $$;

create function usage_event_partition(moment timestamptz) returns text language sql immutable as $$
    select 'usage_event_' || to_char(moment at time zone 'UTC', 'YYYY_MM')
$$;

-- From now on the month takes no event.
create function usage_event_seal(moment timestamptz) returns void language plpgsql as $$
begin
    perform usage_event_unseal(moment);
    execute format('create trigger usage_event_archived before insert on %I'
                   ' for each row execute function usage_event_archived()', usage_event_partition(moment));
end $$;

create function usage_event_unseal(moment timestamptz) returns void language plpgsql as $$
begin
    execute format('drop trigger if exists usage_event_archived on %I', usage_event_partition(moment));
end $$;

-- Take every event of the month out of the store. Whoever calls it has them in a file that was read back.
create function usage_event_empty(moment timestamptz) returns void language plpgsql as $$
declare
    name text := usage_event_partition(moment);
begin
    if not exists (select from usage_montharchive a
                   where a.month = (date_trunc('month', moment, 'UTC') at time zone 'UTC')::date
                     and a.state in ('verified', 'archived')) then
        raise exception 'no file was proven to hold the events of %: nothing is taken out', name using errcode = '42501';
    end if;
    execute format('alter table %I disable trigger usage_event_never_emptied', name);
    execute format('truncate only %I', name);
    execute format('alter table %I enable trigger usage_event_never_emptied', name);
end $$;
"""
BACK = """
drop function usage_event_empty(timestamptz);
drop function usage_event_unseal(timestamptz);
drop function usage_event_seal(timestamptz);
drop function usage_event_partition(timestamptz);
drop function usage_event_archived() cascade;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0015_indexes_of_lines")]

    operations = [
        migrations.CreateModel(
            name="MonthArchive",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("writing", "Writing"),
                            ("verified", "Verified"),
                            ("archived", "Archived"),
                            ("restored", "Restored"),
                        ],
                        max_length=8,
                    ),
                ),
                ("file", models.CharField(max_length=200)),
                ("rows", models.PositiveBigIntegerField(default=0)),
                ("kept", models.PositiveBigIntegerField(default=0)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("content_hash", models.CharField(blank=True, default="", max_length=64)),
                ("sums", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField()),
                ("started_by", models.CharField(max_length=300)),
                ("archived_at", models.DateTimeField(null=True)),
                ("restored_at", models.DateTimeField(null=True)),
                ("restored_by", models.CharField(blank=True, default="", max_length=300)),
            ],
            options={
                "ordering": ["month"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="archive_is_of_a_month"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "writing"),
                            ("state", "restored"),
                            models.Q(("content_hash__regex", "^[0-9a-f]{64}$"), ("size__gt", 0)),
                            _connector="OR",
                        ),
                        name="archive_is_verified",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "archived"), _negated=True),
                            ("archived_at__isnull", False),
                            _connector="OR",
                        ),
                        name="archive_has_its_moment",
                    ),
                ],
            },
        ),
        RunSQL(FUNCTIONS, BACK),
    ]
