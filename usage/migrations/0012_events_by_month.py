"""Keep events in one partition per month, and what makes two of them the same apart, for ever.

Holds usage_event and usage_unpaired alone while every event is copied, from beginning to end: stop the intake
before and start the new release after it; what sources could not send meanwhile they send again. The way back copies
as well, and needs every month to be there: what was archived has to be restored first.
"""

from django.db import migrations, models
from django.db.migrations import RunSQL, SeparateDatabaseAndState

COLUMNS = (
    "id, source_id, event_id, type, time, resource, product, meter, component, app, account, quantity, received_at,"
    " amendment_id"
)
KEYS = """
create table usage_eventkey (
    source_id bigint not null,
    event_id varchar(200) not null,
    body_hash bytea not null,
    resource varchar(200) not null,
    time timestamptz not null,
    event bigint not null,
    primary key (source_id, event_id)
);
create trigger usage_eventkey_refuses_update before update or delete on usage_eventkey
    for each row execute function usage_forbid();
create trigger usage_eventkey_never_emptied before truncate on usage_eventkey
    for each statement execute function usage_forbid();
"""

EVENTS = """
create table usage_event (
    id bigint generated always as identity not null,
    source_id bigint not null,
    event_id varchar(200) not null,
    type varchar(8) not null,
    time timestamptz not null,
    resource varchar(200) not null,
    product varchar(200) not null,
    meter varchar(100) not null,
    component varchar(100) not null,
    app varchar(200) not null,
    account varchar(200) not null,
    quantity numeric(38, 12),
    received_at timestamptz not null,
    amendment_id bigint,
    constraint event_once_by_resource unique (resource, time, id),
    constraint event_quantity_exactly_when_measured check (
        type in ('measured', 'gauge') and quantity is not null and quantity >= 0 and quantity < 1000000000000000000
        or type in ('open', 'close') and quantity is null)
) partition by range (time);
create index event_by_receipt_range on usage_event using brin (received_at)
    with (pages_per_range = 32, autosummarize = on);
create index event_by_time on usage_event using brin (time) with (pages_per_range = 32, autosummarize = on);
create trigger usage_event_refuses_update before update or delete on usage_event
    for each row execute function usage_forbid();
create trigger usage_event_never_emptied before truncate on usage_event
    for each statement execute function usage_forbid();

-- The plan must look each key up, however small the table was when the plan was made.
create function usage_event_has_its_key() returns trigger language plpgsql
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
begin
    if exists (
        select from added a left join usage_eventkey k on k.source_id = a.source_id and k.event_id = a.event_id
        where (k.event, k.resource, k.time) is distinct from (a.id, a.resource, a.time)
    ) then
        raise exception 'an event is stored once, together with its key in usage_eventkey' using errcode = '23503';
    end if;
    return null;
end $$;
create trigger usage_event_has_its_key after insert on usage_event referencing new table as added
    for each statement execute function usage_event_has_its_key();

-- Make the partition of the UTC month that ``moment`` lies in; tell whether it was not there. Takes no lock that intake
-- or a reader would wait for. Truncation and insertion may name a partition, so each has those triggers of its own.
create function usage_event_month(moment timestamptz) returns boolean language plpgsql as $$
declare
    name text := 'usage_event_' || to_char(moment at time zone 'UTC', 'YYYY_MM');
    first timestamptz := date_trunc('month', moment, 'UTC');
    next timestamptz := (first at time zone 'UTC' + interval '1 month') at time zone 'UTC';
begin
    if to_regclass(name) is not null then
        return false;
    end if;
    perform pg_advisory_xact_lock(7564103);
    if to_regclass(name) is not null then
        return false;
    end if;
    execute format('create table %I (like usage_event including defaults including constraints)', name);
    execute format('create trigger usage_event_never_emptied before truncate on %I'
                   ' for each statement execute function usage_forbid()', name);
    execute format('create trigger usage_event_has_its_key after insert on %I referencing new table as added'
                   ' for each statement execute function usage_event_has_its_key()', name);
    execute format('alter table usage_event attach partition %I for values from (%L) to (%L)', name, first, next);
    return true;
end $$;
"""

MOVE = f"""
lock table usage_event, usage_unpaired in access exclusive mode;
alter table usage_event rename to usage_event_before;
alter sequence usage_event_id_seq rename to usage_event_before_id_seq;
alter table usage_event_before drop constraint one_event_per_source_and_id;
alter table usage_event_before drop constraint event_quantity_exactly_when_measured;
drop index event_by_resource, event_by_receipt_range, event_by_time;
{KEYS}{EVENTS}
select usage_event_month(month) from generate_series(
    date_trunc('month', now() - interval '35 days', 'UTC'), now() + interval '3 months', '1 month') as month;
select usage_event_month(time) from (
    select distinct date_trunc('month', time, 'UTC') as time from usage_event_before) as months;
insert into usage_eventkey (source_id, event_id, body_hash, resource, time, event)
select source_id, event_id, body_hash, resource, time, id from usage_event_before;
insert into usage_event ({COLUMNS}) overriding system value select {COLUMNS} from usage_event_before order by id;
select setval('usage_event_id_seq', (select greatest(max(id), 1) from usage_event_before));
alter table usage_unpaired add column time timestamptz;
update usage_unpaired u set time = e.time from usage_event_before e where e.id = u.event_id;
alter table usage_unpaired alter column time set not null;
drop table usage_event_before;
"""

BACK = f"""
lock table usage_event, usage_eventkey, usage_unpaired in access exclusive mode;
alter table usage_unpaired drop column time;
create table usage_event_before (
    id bigint generated by default as identity primary key,
    source_id bigint not null,
    event_id varchar(200) not null,
    type varchar(8) not null,
    time timestamptz not null,
    resource varchar(200) not null,
    product varchar(200) not null,
    meter varchar(100) not null,
    component varchar(100) not null,
    app varchar(200) not null,
    account varchar(200) not null,
    quantity numeric(38, 12),
    body_hash bytea not null,
    received_at timestamptz not null,
    amendment_id bigint
);
insert into usage_event_before ({COLUMNS}, body_hash)
select e.{", e.".join(COLUMNS.split(", "))}, k.body_hash from usage_event e join usage_eventkey k using (source_id, event_id);
select setval('usage_event_before_id_seq', (select greatest(max(id), 1) from usage_event_before));
drop function usage_event_month(timestamptz);
drop table usage_event, usage_eventkey;
drop function usage_event_has_its_key();
alter table usage_event_before rename to usage_event;
alter sequence usage_event_before_id_seq rename to usage_event_id_seq;
alter index usage_event_before_pkey rename to usage_event_pkey;
alter table usage_event add constraint one_event_per_source_and_id unique (source_id, event_id);
alter table usage_event add constraint event_quantity_exactly_when_measured check (
    type in ('measured', 'gauge') and quantity is not null and quantity >= 0 and quantity < 1000000000000000000
    or type in ('open', 'close') and quantity is null);
create index event_by_resource on usage_event (resource, time);
create index event_by_receipt_range on usage_event using brin (received_at)
    with (pages_per_range = 32, autosummarize = on);
create index event_by_time on usage_event using brin (time) with (pages_per_range = 32, autosummarize = on);
create trigger usage_event_refuses_update before update or delete on usage_event
    for each row execute function usage_forbid();
create trigger usage_event_never_emptied before truncate on usage_event
    for each statement execute function usage_forbid();
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0011_sources_as_contracts")]

    operations = [
        SeparateDatabaseAndState(
            database_operations=[RunSQL(MOVE, BACK)],
            state_operations=[
                migrations.CreateModel(
                    name="EventKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "source", "event_id", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("event_id", models.CharField(max_length=200)),
                        ("body_hash", models.BinaryField(max_length=32)),
                        ("resource", models.CharField(max_length=200)),
                        ("time", models.DateTimeField()),
                        ("event", models.BigIntegerField()),
                        (
                            "source",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=models.deletion.PROTECT,
                                related_name="+",
                                to="usage.source",
                            ),
                        ),
                    ],
                ),
                migrations.RemoveConstraint(model_name="event", name="one_event_per_source_and_id"),
                migrations.RemoveIndex(model_name="event", name="event_by_resource"),
                migrations.RemoveField(model_name="event", name="body_hash"),
                migrations.AddField(
                    model_name="unpaired", name="time", field=models.DateTimeField(), preserve_default=False
                ),
                migrations.AddConstraint(
                    model_name="event",
                    constraint=models.UniqueConstraint(
                        fields=["resource", "time", "id"], name="event_once_by_resource"
                    ),
                ),
            ],
        )
    ]
