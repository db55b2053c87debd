-- What the database refuses about refunds: a change of what was asked, a way off the machine, and a payment that does
-- not count as returned exactly what refunds that live and chargebacks come to.
-- Parameters: none. Reads: collections_payment, _refund, _chargeback. Writes: nothing. Locks: none beyond the row's own.
-- Repeatable: yes (create or replace).
create or replace function collections_refund_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'refund % is kept for ever: it may stand for money', old.key using errcode = '42501';
    end if;
    if tg_op = 'INSERT' then
        if new.outcome not in ('requested', 'created') then
            raise exception 'refund % must begin as requested or created', new.key using errcode = '23514';
        end if;
        return new;
    end if;
    if (new.payment_id, new.key, new.amount, new.reason, new.requested_by, new.requested_at)
        is distinct from (old.payment_id, old.key, old.amount, old.reason, old.requested_by, old.requested_at) then
        raise exception 'what refund % asks of the gateway never changes', old.key using errcode = '42501';
    end if;
    if new.outcome <> old.outcome and (old.outcome, new.outcome) not in (
        ('requested', 'created'), ('requested', 'refused'), ('created', 'submitting'), ('created', 'manual'),
        ('submitting', 'succeeded'), ('submitting', 'declined'), ('submitting', 'unknown'), ('submitting', 'manual'),
        ('unknown', 'submitting'), ('unknown', 'manual'), ('manual', 'created')) then
        raise exception 'refund % cannot go from % to %', old.key, old.outcome, new.outcome using errcode = '23514';
    end if;
    return new;
end $$;

-- Checked at commit, from every side: on the payment, a refund or a chargeback.
create or replace function collections_returned_adds_up() returns trigger language plpgsql as $$
declare
    changed jsonb := to_jsonb(new);
    payment bigint := coalesce(changed ->> 'payment_id', changed ->> 'id');
    said numeric := (select refunded from collections_payment where id = payment);
    returned numeric := (select coalesce(sum(amount), 0) from collections_chargeback where payment_id = payment)
        + (select coalesce(sum(amount), 0) from collections_refund
           where payment_id = payment and outcome not in ('requested', 'refused', 'declined'));
begin
    if said <> returned then
        raise exception 'payment % says % was returned, not %: it does not know of a refund or chargeback', payment, said,
            returned using errcode = '23514';
    end if;
    return null;
end $$;
