-- A payment of a charge is what the gateway captured for it, to the coin. Parameters: none.
-- Reads: collections_chargeattempt. Writes: nothing. Locks: none. Repeatable: yes (create or replace).
create or replace function collections_capture_guard() returns trigger language plpgsql as $$
begin
    if not exists (
        select 1 from collections_chargeattempt t
        where t.id = new.attempt_id and t.outcome = 'succeeded' and t.gateway_charge_id = new.reference
            and t.captured = new.amount and t.captured_currency = new.currency) then
        raise exception 'payment % is not what the gateway captured', new.reference using errcode = '23514';
    end if;
    return new;
end $$;
