-- What the database refuses about the books: a transaction that does not balance in each currency, an empty one, an
-- entry added to a posted one. Parameters: none. Reads: billing_ledgertransaction, billing_ledgerentry.
-- Writes: nothing. Locks: none. Run once, by a migration.
-- Entries are written first, the header last: the header posts the transaction, so one look at each statement
-- suffices, however many transactions it posts. Entries without a header fail their foreign key at commit.

create function billing_ledger_posts_balanced() returns trigger language plpgsql as $$
declare
    wrong text;
begin
    select string_agg(format('%s %s', p.source_type, p.source_id), ', ') into wrong
    from posted p
    where (select count(*) from billing_ledgerentry e where e.transaction_id = p.id) < 2
       or exists (select 1 from billing_ledgerentry e where e.transaction_id = p.id
                  group by e.currency having sum(e.amount) <> 0);
    if wrong is not null then
        raise exception 'does not balance, or has fewer than two entries: %', wrong using errcode = '23514';
    end if;
    return null;
end $$;
create trigger billing_ledger_posts_balanced after insert on billing_ledgertransaction
    referencing new table as posted for each statement execute function billing_ledger_posts_balanced();

create function billing_ledger_stays_posted() returns trigger language plpgsql as $$
begin
    if exists (select 1 from added a join billing_ledgertransaction t on t.id = a.transaction_id) then
        raise exception 'an entry cannot be added to a posted transaction; post another one' using errcode = '42501';
    end if;
    return null;
end $$;
create trigger billing_ledger_stays_posted after insert on billing_ledgerentry
    referencing new table as added for each statement execute function billing_ledger_stays_posted();
