-- What the database refuses about contracts: two at a time for an account and currency, edits, deletions; and two prices
-- of one product at a time, be they everybody's or one contract's.
-- Parameters: none. Reads: nothing. Writes: nothing; the functions run as triggers on each changed row.
-- Locks: none. Run once, by a migration.

alter table billing_contract add constraint one_contract_at_a_time exclude using gist (
    int8range(account_id, account_id, '[]') with =,
    billing_text_range(currency::text, currency::text, '[]') with =,
    daterange(valid_from, valid_to) with &&);

create function billing_contract_ends_once() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'contracts are kept for ever; end contract % by a valid_to instead', old.id
            using errcode = '42501';
    end if;
    if to_jsonb(new) - 'valid_to' is distinct from to_jsonb(old) - 'valid_to'
       or (old.valid_to is not null and new.valid_to is distinct from old.valid_to) then
        raise exception 'contract % is immutable; other terms are another contract', old.id using errcode = '42501';
    end if;
    return new;
end $$;
create trigger billing_contract_ends_once before update or delete on billing_contract
    for each row execute function billing_contract_ends_once();
create trigger billing_contract_no_truncate before truncate on billing_contract
    for each statement execute function vault_forbid();

-- Null contracts are everybody's prices: they share the number 0, which is no row's.
alter table billing_price drop constraint prices_never_overlap;
alter table billing_price add constraint prices_never_overlap exclude using gist (
    int8range(product_id, product_id, '[]') with =,
    billing_text_range(currency::text, currency::text, '[]') with =,
    int8range(coalesce(contract_id, 0), coalesce(contract_id, 0), '[]') with =,
    tstzrange(valid_from, valid_to) with &&);

-- A contract's own prices are valid as long as the contract, in its currency.
create function billing_contract_prices_fit() returns trigger language plpgsql as $$
begin
    if exists (
        select from billing_price p join billing_contract c on c.id = p.contract_id
        where c.id = (to_jsonb(new) ->> tg_argv[0])::bigint
          and (p.currency, p.valid_from at time zone 'UTC', p.valid_to at time zone 'UTC')
              is distinct from (c.currency, c.valid_from::timestamp, c.valid_to::timestamp)
    ) then
        raise exception 'a price of contract % is not valid as long as it, in its currency',
            to_jsonb(new) ->> tg_argv[0] using errcode = '23514';
    end if;
    return null;
end $$;
create constraint trigger billing_price_fits_its_contract after insert or update on billing_price
    deferrable initially deferred for each row when (new.contract_id is not null)
    execute function billing_contract_prices_fit('contract_id');
create constraint trigger billing_contract_fits_its_prices after update on billing_contract
    deferrable initially deferred for each row execute function billing_contract_prices_fit('id');
