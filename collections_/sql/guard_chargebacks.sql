-- What the database refuses about chargebacks: allocations that no longer sum to what a payment says was applied, a
-- reversal of more than was allocated or of another payment, more taken back than came in and was not returned.
-- Parameters: none. Reads: collections_payment, _allocation, _allocationreversal, _chargeback. Writes: nothing.
-- Locks: none beyond the rows' own. Repeatable: yes (create or replace).

-- Checked at commit: what a payment says was applied is its allocations less what chargebacks undid of them.
create or replace function collections_payment_applied() returns trigger language plpgsql as $$
declare
    changed jsonb := to_jsonb(new);
    payment bigint := case when tg_table_name = 'collections_allocationreversal'
        then (select payment_id from collections_allocation where id = (changed ->> 'allocation_id')::bigint)
        else coalesce(changed ->> 'payment_id', changed ->> 'id')::bigint end;
    said numeric;
    allocated numeric;
begin
    select applied into said from collections_payment where id = payment;
    select coalesce(sum(a.amount - coalesce((
        select sum(r.amount) from collections_allocationreversal r where r.allocation_id = a.id), 0)), 0)
    into allocated from collections_allocation a where a.payment_id = payment;
    if said <> allocated then
        raise exception 'payment % says % was applied, its allocations sum to %', payment, said, allocated
            using errcode = '23514';
    end if;
    return null;
end $$;

create or replace function collections_reversal_guard() returns trigger language plpgsql as $$
declare
    allocated collections_allocation;
begin
    select * into allocated from collections_allocation where id = new.allocation_id;
    if allocated.payment_id <> (select payment_id from collections_chargeback where id = new.chargeback_id) then
        raise exception 'chargeback % is of another payment', new.chargeback_id using errcode = '23514';
    end if;
    if allocated.amount < (select sum(amount) from collections_allocationreversal where allocation_id = new.allocation_id)
    then
        raise exception 'more of allocation % is taken back than it was', new.allocation_id using errcode = '23514';
    end if;
    return null;
end $$;

-- Checked at commit: all that banks took back of a payment counts as returned.
create or replace function collections_chargeback_counts() returns trigger language plpgsql as $$
begin
    if (select sum(amount) from collections_chargeback where payment_id = new.payment_id)
        > (select refunded from collections_payment where id = new.payment_id) then
        raise exception 'payment % does not know of chargeback %', new.payment_id, new.reference using errcode = '23514';
    end if;
    return null;
end $$;
