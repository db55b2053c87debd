-- What the database refuses around money that came in. Parameters: none. Reads: the rows it guards.
-- Writes: nothing. Locks: none beyond the row's own. Repeatable: yes (create or replace).

-- What was asked of the gateway never changes, and an outcome moves only along its machine; a final one stays.
create or replace function collections_attempt_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'charge attempt % is kept for ever: it may stand for money', old.key using errcode = '42501';
    end if;
    if tg_op = 'INSERT' then
        if new.outcome <> 'created' then
            raise exception 'charge attempt % must begin as created', new.key using errcode = '23514';
        end if;
        return new;
    end if;
    if (new.id, new.invoice_id, new.method_id, new.number, new.key, new.amount, new.currency, new.step,
        new.requested_by, new.created_on)
        is distinct from (old.id, old.invoice_id, old.method_id, old.number, old.key, old.amount, old.currency,
        old.step, old.requested_by, old.created_on) then
        raise exception 'what charge attempt % asks of the gateway never changes', old.key using errcode = '42501';
    end if;
    if new.outcome <> old.outcome and (old.outcome, new.outcome) not in (
        ('created', 'submitting'), ('created', 'cancelled'), ('created', 'manual'),
        ('submitting', 'succeeded'), ('submitting', 'declined'), ('submitting', 'unknown'), ('submitting', 'manual'),
        ('unknown', 'succeeded'), ('unknown', 'declined'), ('unknown', 'manual'),
        ('manual', 'succeeded'), ('manual', 'declined')) then
        raise exception 'charge attempt % cannot go from % to %', old.key, old.outcome, new.outcome
            using errcode = '23514';
    end if;
    if old.outcome in ('succeeded', 'declined', 'cancelled')
        and (new.gateway_charge_id, new.decline_code, new.decline_class, new.answered_at)
        is distinct from (old.gateway_charge_id, old.decline_code, old.decline_class, old.answered_at) then
        raise exception 'charge attempt % has its answer', old.key using errcode = '42501';
    end if;
    return new;
end $$;

-- A payment is a fact; only how much of it was applied or given back moves.
create or replace function collections_payment_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'payment % is kept for ever', old.reference using errcode = '42501';
    end if;
    if to_jsonb(new) - 'applied' - 'refunded' is distinct from to_jsonb(old) - 'applied' - 'refunded' then
        raise exception 'payment % never changes, but for what was applied or refunded', old.reference
            using errcode = '42501';
    end if;
    return new;
end $$;

-- Checked at commit: what a payment says was applied is the sum of its allocations.
create or replace function collections_payment_applied() returns trigger language plpgsql as $$
declare
    changed jsonb := to_jsonb(new);
    payment bigint := coalesce(changed ->> 'payment_id', changed ->> 'id');
    said numeric;
    allocated numeric;
begin
    select applied into said from collections_payment where id = payment;
    select coalesce(sum(amount), 0) into allocated from collections_allocation where payment_id = payment;
    if said <> allocated then
        raise exception 'payment % says % was applied, its allocations sum to %', payment, said, allocated
            using errcode = '23514';
    end if;
    return null;
end $$;

-- Money of one account and currency never settles another's invoice, nor one that was not issued.
create or replace function collections_allocation_guard() returns trigger language plpgsql as $$
begin
    if not exists (
        select 1 from collections_payment p join billing_invoice i on i.id = new.invoice_id
        where p.id = new.payment_id and i.account_id = p.account_id and i.currency = p.currency
            and i.status not in ('draft', 'void')) then
        raise exception 'payment % cannot settle invoice %: another account or currency, or not issued',
            new.payment_id, new.invoice_id using errcode = '23514';
    end if;
    return new;
end $$;

-- A policy's rungs never change under the cases that climb them.
create or replace function collections_policy_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or to_jsonb(new) - 'is_current' is distinct from to_jsonb(old) - 'is_current' then
        raise exception 'policy % version % never changes; publish a new version', old.name, old.version
            using errcode = '42501';
    end if;
    return new;
end $$;
