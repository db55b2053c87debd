-- What the database refuses about numbers: a series that counts down, skips a document or goes back in time.
-- Parameters: none. Reads: billing_invoice, billing_creditnote, billing_seller. Writes: nothing.
-- Locks: none beyond the series row, which serialises those who number. Run once, by a migration.

create function billing_series_counts_up() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.last = 0 then
        return new;
    end if;
    if tg_op <> 'UPDATE' or new.last < old.last or new.last_on < old.last_on or new.last_on is null
       or (new.seller_id, new.kind, new.year) is distinct from (old.seller_id, old.kind, old.year) then
        raise exception 'a number series only counts up' using errcode = '42501';
    end if;
    return new;
end $$;
create trigger billing_series_counts_up before insert or update on billing_numberseries
    for each row execute function billing_series_counts_up();
create trigger billing_numberseries_is_kept before delete on billing_numberseries
    for each row execute function vault_forbid();
create trigger billing_numberseries_no_truncate before truncate on billing_numberseries
    for each statement execute function vault_forbid();

-- At commit every number that was taken names a document: whoever takes a block must use all of it.
create function billing_numbers_have_no_gap() returns trigger language plpgsql as $$
declare
    missing text;
begin
    select min(billing_number(s.code, new.kind, new.year, taken.n)) into missing
    from billing_seller s, generate_series(old.last + 1, new.last) as taken (n)
    where s.id = new.seller_id and case new.kind
        when 'invoice' then not exists (
            select 1 from billing_invoice where number = billing_number(s.code, 'invoice', new.year, taken.n))
        else not exists (
            select 1 from billing_creditnote where number = billing_number(s.code, 'credit_note', new.year, taken.n)) end;
    if missing is not null then
        raise exception 'number % was taken and names no document', missing using errcode = '23514';
    end if;
    return null;
end $$;
create constraint trigger billing_numbers_have_no_gap after update on billing_numberseries
    deferrable initially deferred for each row execute function billing_numbers_have_no_gap();
