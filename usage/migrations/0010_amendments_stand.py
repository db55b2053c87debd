"""An amendment may be reverted, once; everything else about it stays, and it is never deleted."""

from django.db import migrations
from django.db.migrations import RunSQL

FUNCTION = """
create function usage_only_revert() returns trigger language plpgsql as $$
declare
    allowed usage_amendment := old;
begin
    if old.reverted_at is null then
        allowed.reverted_at := new.reverted_at;
        allowed.reverted_by := new.reverted_by;
        allowed.revert_reason := new.revert_reason;
    end if;
    if new is distinct from allowed then
        raise exception 'an amendment may only be reverted, once' using errcode = '42501';
    end if;
    return new;
end $$;
create trigger usage_amendment_refuses_update before update on usage_amendment
    for each row execute function usage_only_revert();
create trigger usage_amendment_refuses_delete before delete on usage_amendment
    for each row execute function usage_forbid();
create trigger usage_amendment_never_emptied before truncate on usage_amendment
    for each statement execute function usage_forbid();
"""
BACK = """
drop trigger usage_amendment_never_emptied on usage_amendment;
drop trigger usage_amendment_refuses_delete on usage_amendment;
drop trigger usage_amendment_refuses_update on usage_amendment;
drop function usage_only_revert();
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0009_gauges_and_amendments")]

    operations = [RunSQL(FUNCTION, BACK)]
