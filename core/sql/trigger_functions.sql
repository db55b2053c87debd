-- The functions behind core.triggers: vault_audit() writes the audit trail, vault_forbid() refuses a change.
-- Parameters: none. Reads: settings vault.actor, vault.reason, vault.request of the transaction.
-- Writes: core_auditentry, one row per changed row. Locks: none beyond the row's own.
-- Repeatable: yes (create or replace).

create or replace function vault_audit() returns trigger language plpgsql as $$
declare
    actor text := coalesce(current_setting('vault.actor', true), '');
    -- Audit rows are read by people who must never see what signs somebody in.
    secret constant text[] := array['password', 'secret', 'secret_hash', 'key_hash', 'token', 'token_hash'];
    was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    becomes jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    whole jsonb := coalesce(becomes, was);
    account text := case when tg_table_name = 'accounts_account' then whole ->> 'id' else whole ->> 'account_id' end;
    changed text[];
begin
    if actor = '' then
        raise exception 'a change of % needs an actor; make it inside core.audit.acting()', tg_table_name
            using errcode = '42501';
    end if;
    if tg_op = 'UPDATE' then
        select array_agg(key) into changed from jsonb_each(becomes) where value is distinct from was -> key;
        if changed is null then
            return null;
        end if;
        select jsonb_object_agg(key, was -> key), jsonb_object_agg(key, becomes -> key) into was, becomes
        from unnest(changed) as key;
    end if;
    select coalesce(jsonb_object_agg(key, case when key = any (secret) then '"***"' else value end), was)
    into was from jsonb_each(was);
    select coalesce(jsonb_object_agg(key, case when key = any (secret) then '"***"' else value end), becomes)
    into becomes from jsonb_each(becomes);
    insert into core_auditentry
        (at, actor, reason, request, table_name, row_id, account_id, operation, before, after)
    values
        (clock_timestamp(), actor, coalesce(current_setting('vault.reason', true), ''),
         coalesce(current_setting('vault.request', true), ''), tg_table_name, coalesce(whole ->> 'id', ''),
         case when account ~ '^[0-9]{1,18}$' then account::bigint end, lower(tg_op), was, becomes);
    return null;
end $$;

create or replace function vault_forbid() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % is refused; correct it by a new row', tg_table_name, lower(tg_op)
        using errcode = '42501';
end $$;
