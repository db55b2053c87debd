-- What a gateway told us stays as it came. Parameters: none. Reads: the row. Writes: nothing. Locks: none beyond the
-- row's own. Repeatable: yes (create or replace).
create or replace function collections_event_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (new.gateway, new.event_id, new.kind, new.body, new.received_at)
        is distinct from (old.gateway, old.event_id, old.kind, old.body, old.received_at) then
        raise exception 'event % of % stays as it came', old.event_id, old.gateway using errcode = '42501';
    end if;
    return new;
end $$;
