-- What the database refuses about prices and tax rates: overlapping versions, and edits of what was in force.
-- Parameters: none. Reads: nothing. Writes: nothing; the functions run as triggers on each changed row.
-- Locks: none. Run once, by a migration.

-- A range over text stands in for btree_gist, which the embedded server does not have: one value is [v, v].
create type billing_text_range as range (subtype = text, collation = "C");

alter table billing_price add constraint prices_never_overlap exclude using gist (
    int8range(product_id, product_id, '[]') with =,
    billing_text_range(currency::text, currency::text, '[]') with =,
    tstzrange(valid_from, valid_to) with &&);

alter table billing_taxrate add constraint tax_rates_never_overlap exclude using gist (
    billing_text_range(country::text, country::text, '[]') with =,
    billing_text_range(region::text, region::text, '[]') with =,
    daterange(valid_from, valid_to) with &&);

create function billing_price_ends_once() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'prices are kept for ever; end price % by a valid_to instead', old.id using errcode = '42501';
    end if;
    if to_jsonb(new) - 'valid_to' is distinct from to_jsonb(old) - 'valid_to'
       or (old.valid_to is not null and new.valid_to is distinct from old.valid_to) then
        raise exception 'price % is immutable; a change is a new version', old.id using errcode = '42501';
    end if;
    return new;
end $$;
create trigger billing_price_ends_once before update or delete on billing_price
    for each row execute function billing_price_ends_once();
create trigger billing_price_no_truncate before truncate on billing_price
    for each statement execute function vault_forbid();
