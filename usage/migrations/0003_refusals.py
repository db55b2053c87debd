"""What the usage store refuses, whoever asks: edits of facts, edits of history, overlaps, deletions.

Nothing here uses another app's functions or an extension: the usage store may be a database of its own.
"""

from django.db import migrations
from django.db.migrations import RunSQL

FUNCTIONS = """
-- Text has no range type of its own; with one, GiST compares it for equality without the btree_gist extension.
create type usage_text_range as range (subtype = text, collation = "C");

create function usage_forbid() returns trigger language plpgsql as $$
begin
    raise exception '% keeps what was said: % is refused', tg_table_name, lower(tg_op) using errcode = '42501';
end $$;

-- A row of history may be superseded, once; everything else about it stays.
create function usage_only_supersede() returns trigger language plpgsql as $$
declare
    allowed record := old;
begin
    if old.superseded_at is null then
        allowed.superseded_at := new.superseded_at;
    end if;
    if new is distinct from allowed then
        raise exception '% keeps its history: a row may only be superseded, once', tg_table_name
            using errcode = '42501';
    end if;
    return new;
end $$;

-- A quarantined event is decided once; what was sent, and why it was refused, stays.
create function usage_only_decide() returns trigger language plpgsql as $$
declare
    allowed usage_quarantinedevent := old;
begin
    if old.state = 'waiting' then
        allowed.state := new.state;
        allowed.decided_at := new.decided_at;
        allowed.decided_by := new.decided_by;
        allowed.decision_reason := new.decision_reason;
    end if;
    if new is distinct from allowed then
        raise exception 'a quarantined event is decided once, and never edited' using errcode = '42501';
    end if;
    return new;
end $$;
"""
FUNCTIONS_BACK = """
drop function usage_only_decide();
drop function usage_only_supersede();
drop function usage_forbid();
drop type usage_text_range;
"""

# Two products of one resource and meter at once would bill a second twice; two owners would bill it to both.
# The texts decide; the hash before them only lets GiST find its way, which makes an insert three times cheaper.
SAME_RESOURCE = """
    int8range(hashtextextended(resource, 0), hashtextextended(resource, 0), '[]') with =,
    usage_text_range(resource, resource, '[]') with =
"""
OVERLAPS = f"""
alter table usage_interval add constraint one_interval_at_a_time exclude using gist (
    {SAME_RESOURCE}, usage_text_range(meter, meter, '[]') with =, tstzrange(opened, closed) with &&
) where (superseded_at is null);
alter table usage_ownership add constraint one_owner_at_a_time exclude using gist (
    {SAME_RESOURCE}, tstzrange(start, "end") with &&
) where (superseded_at is null and resource <> '');
alter table usage_ownership add constraint one_owner_of_an_app_at_a_time exclude using gist (
    usage_text_range(app, app, '[]') with =, tstzrange(start, "end") with &&
) where (superseded_at is null and resource = '');
alter table usage_ownership add constraint ownership_of_something check (resource <> '' or app <> '');
"""
OVERLAPS_BACK = """
alter table usage_ownership drop constraint ownership_of_something;
alter table usage_ownership drop constraint one_owner_of_an_app_at_a_time;
alter table usage_ownership drop constraint one_owner_at_a_time;
alter table usage_interval drop constraint one_interval_at_a_time;
"""


def refuse(table: str, events: str, function: str) -> RunSQL:
    """Let ``function`` judge ``events`` of ``table``, and refuse to empty it."""
    name = f"{table}_refuses_{events.split()[0]}"
    return RunSQL(
        f"create trigger {name} before {events} on {table} for each row execute function {function}()",
        f"drop trigger {name} on {table}",
    )


def never_emptied(table: str) -> RunSQL:
    """Refuse TRUNCATE of ``table``."""
    return RunSQL(
        f"create trigger {table}_never_emptied before truncate on {table}"
        f" for each statement execute function usage_forbid()",
        f"drop trigger {table}_never_emptied on {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("usage", "0002_lean_bulk_tables")]

    operations = [
        RunSQL(FUNCTIONS, FUNCTIONS_BACK),
        RunSQL(OVERLAPS, OVERLAPS_BACK),
        refuse("usage_event", "update or delete", "usage_forbid"),
        refuse("usage_source", "delete", "usage_forbid"),
        refuse("usage_interval", "update", "usage_only_supersede"),
        refuse("usage_interval", "delete", "usage_forbid"),
        refuse("usage_ownership", "update", "usage_only_supersede"),
        refuse("usage_ownership", "delete", "usage_forbid"),
        refuse("usage_quarantinedevent", "update", "usage_only_decide"),
        refuse("usage_quarantinedevent", "delete", "usage_forbid"),
        never_emptied("usage_event"),
        never_emptied("usage_interval"),
        never_emptied("usage_ownership"),
        never_emptied("usage_quarantinedevent"),
    ]
