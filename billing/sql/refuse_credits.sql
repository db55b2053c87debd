-- What the database refuses about credits: a balance that is not the grant less what invoices took, an application
-- in another account or currency, and any change to what an issued invoice took.
-- Parameters: none. Reads: billing_creditgrant, billing_creditapplication, billing_invoice. Writes: nothing.
-- Locks: none; whoever applies a credit holds the grant's row. Run once, by a migration.

create function billing_credit_balance_holds() returns trigger language plpgsql as $$
declare
    grant_of constant bigint := case
        when tg_table_name = 'billing_creditgrant' then (to_jsonb(new) ->> 'id')::bigint
        else (coalesce(to_jsonb(new), to_jsonb(old)) ->> 'grant_id')::bigint end;
    g billing_creditgrant;
    taken numeric;
begin
    select * into g from billing_creditgrant where id = grant_of;
    select coalesce(sum(a.amount), 0) into taken
    from billing_creditapplication a join billing_invoice i on i.id = a.invoice_id
    where a.grant_id = grant_of and i.status <> 'void';
    if g.id is not null and g.balance <> g.amount - taken then
        raise exception 'credit %: % granted and % taken leave %, not %', g.id, g.amount, taken, g.amount - taken, g.balance
            using errcode = '23514';
    end if;
    if g.state <> 'active' and taken <> 0 then
        raise exception 'credit % is not active', g.id using errcode = '23514';
    end if;
    return null;
end $$;
create constraint trigger billing_credit_balance_holds after insert or update on billing_creditgrant
    deferrable initially deferred for each row execute function billing_credit_balance_holds();
create constraint trigger billing_credit_application_holds after insert or update or delete on billing_creditapplication
    deferrable initially deferred for each row execute function billing_credit_balance_holds();

create function billing_credit_application_fits() returns trigger language plpgsql as $$
declare
    invoice billing_invoice;
begin
    if tg_op <> 'INSERT' and exists (select 1 from billing_invoice where id = old.invoice_id and status <> 'draft') then
        raise exception 'what an issued invoice took of a credit is final' using errcode = '42501';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    select * into invoice from billing_invoice where id = new.invoice_id;
    if invoice.status <> 'draft' or invoice.shadow then
        raise exception 'credits are applied to drafts only' using errcode = '42501';
    end if;
    if not exists (select 1 from billing_creditgrant where id = new.grant_id
                   and account_id = invoice.account_id and currency = invoice.currency) then
        raise exception 'a credit pays for invoices of its own account and currency' using errcode = '23514';
    end if;
    return new;
end $$;
create trigger billing_credit_application_fits before insert or update or delete on billing_creditapplication
    for each row execute function billing_credit_application_fits();

create function billing_grant_is_what_was_granted() returns trigger language plpgsql as $$
declare
    free constant text[] := array['balance', 'state', 'decided_by', 'decided_at', 'expires_on'];
begin
    if tg_op = 'DELETE' or to_jsonb(new) - free is distinct from to_jsonb(old) - free
       or (old.state <> 'requested' and new.state <> old.state) then
        raise exception 'credit % stays as it was granted', old.id using errcode = '42501';
    end if;
    return new;
end $$;
create trigger billing_grant_is_what_was_granted before update or delete on billing_creditgrant
    for each row execute function billing_grant_is_what_was_granted();

-- A void invoice gives back what it took; the grants must know.
create function billing_void_gives_back() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from billing_creditgrant g where g.id in (
            select grant_id from billing_creditapplication where invoice_id = new.id)
        and g.balance <> g.amount - (
            select coalesce(sum(a.amount), 0) from billing_creditapplication a
            join billing_invoice i on i.id = a.invoice_id where a.grant_id = g.id and i.status <> 'void')) then
        raise exception 'void invoice % must give its credits back', new.number using errcode = '23514';
    end if;
    return null;
end $$;
create constraint trigger billing_void_gives_back after update on billing_invoice
    deferrable initially deferred for each row when (new.status = 'void' and old.status <> 'void' and old.credits <> 0)
    execute function billing_void_gives_back();
