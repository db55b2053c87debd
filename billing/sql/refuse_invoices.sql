-- What the database refuses about invoices, their lines and credit notes: any edit of what was issued, any step
-- off the life of an invoice, and an issue whose sums or number do not hold.
-- Parameters: none. Reads: billing_invoice, billing_invoiceline, billing_creditapplication, billing_numberseries,
-- billing_seller. Writes: nothing. Locks: none beyond the statement's own. Run once, by a migration.
-- Bulk statements are judged once each (transition tables); only changes of issued rows cost a call per row.

create function billing_invoice_stays_issued() returns trigger language plpgsql as $$
declare
    free constant text[] := array['status', 'payment_status', 'settled', 'credited', 'outstanding'];
begin
    if tg_op = 'DELETE' then
        raise exception 'invoice % was issued; it cannot be deleted', old.number using errcode = '42501';
    end if;
    if to_jsonb(new) - free is distinct from to_jsonb(old) - free then
        raise exception 'invoice % was issued; correct it by a credit note', old.number using errcode = '42501';
    end if;
    if new.status <> old.status and (old.status, new.status) not in (
        ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'), ('uncollectible', 'paid'),
        ('uncollectible', 'void'), ('paid', 'open')) then
        raise exception 'invoice % cannot become % from %', old.number, new.status, old.status using errcode = '42501';
    end if;
    return new;
end $$;
create trigger billing_invoice_stays_issued before update or delete on billing_invoice
    for each row when (old.status <> 'draft') execute function billing_invoice_stays_issued();
create trigger billing_invoice_no_truncate before truncate on billing_invoice
    for each statement execute function vault_forbid();

-- How a number reads: CODE-2026-000123 for an invoice, CODE-CN-2026-000123 for a credit note.
create function billing_number(code text, kind text, year int, counter bigint) returns text
language sql immutable as $$
    select code || case kind when 'credit_note' then '-CN-' else '-' end || year || '-'
        || lpad(counter::text, greatest(6, length(counter::text)), '0')
$$;

create function billing_invoice_is_issued_whole() returns trigger language plpgsql as $$
declare
    wrong text;
begin
    select string_agg(format('%s (%s)', i.number, case
        when not exists (select 1 from billing_run r where r.id = i.run_id and r.state = 'issuing') and i.run_id is not null
            then 'its run is not issuing'
        when i.subtotal <> coalesce(l.amount, 0) then 'its lines come to ' || coalesce(l.amount, 0)
        when i.credits <> coalesce(c.amount, 0) then 'credits applied come to ' || coalesce(c.amount, 0)
        else 'it has no place in its number series' end), ', ') into wrong
    from changed i
    left join lateral (
        select sum(amount) as amount from billing_invoiceline where invoice_id = i.id) l on true
    left join lateral (
        select sum(amount) as amount from billing_creditapplication where invoice_id = i.id) c on true
    join billing_seller s on s.id = i.seller_id
    left join billing_numberseries n on n.seller_id = i.seller_id and n.kind = 'invoice'
        and n.year = extract(year from i.issued_on)
    where i.status <> 'draft'
      and exists (select 1 from previous p where p.id = i.id and p.status = 'draft')
      and (i.subtotal <> coalesce(l.amount, 0) or i.credits <> coalesce(c.amount, 0)
           or (i.run_id is not null
               and not exists (select 1 from billing_run r where r.id = i.run_id and r.state = 'issuing'))
           or n.last is null
           or i.number !~ '-[0-9]{6,15}$'
           or substring(i.number from '[0-9]+$')::bigint not between 1 and n.last
           or i.number <> billing_number(s.code, 'invoice', n.year, substring(i.number from '[0-9]+$')::bigint));
    if wrong is not null then
        raise exception 'cannot issue %', wrong using errcode = '23514';
    end if;
    return null;
end $$;
create trigger billing_invoice_is_issued_whole after update on billing_invoice
    referencing old table as previous new table as changed
    for each statement execute function billing_invoice_is_issued_whole();

create function billing_invoice_is_born_a_draft() returns trigger language plpgsql as $$
begin
    if exists (select 1 from changed where status <> 'draft') then
        raise exception 'an invoice begins as a draft' using errcode = '42501';
    end if;
    return null;
end $$;
create trigger billing_invoice_is_born_a_draft after insert on billing_invoice
    referencing new table as changed for each statement execute function billing_invoice_is_born_a_draft();

create function billing_lines_stay_issued() returns trigger language plpgsql as $$
begin
    if exists (select 1 from touched t join billing_invoice i on i.id = t.invoice_id where i.status <> 'draft') then
        raise exception 'lines of an issued invoice are immutable; correct it by a credit note' using errcode = '42501';
    end if;
    return null;
end $$;
create trigger billing_lines_stay_issued_insert after insert on billing_invoiceline
    referencing new table as touched for each statement execute function billing_lines_stay_issued();
create trigger billing_lines_stay_issued_update after update on billing_invoiceline
    referencing old table as touched for each statement execute function billing_lines_stay_issued();
create trigger billing_lines_stay_issued_move after update on billing_invoiceline
    referencing new table as touched for each statement execute function billing_lines_stay_issued();
create trigger billing_lines_stay_issued_delete after delete on billing_invoiceline
    referencing old table as touched for each statement execute function billing_lines_stay_issued();
create trigger billing_invoiceline_no_truncate before truncate on billing_invoiceline
    for each statement execute function vault_forbid();

-- Credit notes: immutable, in the currency of their invoice, no more than the invoice and each line allow.
create function billing_credit_note_holds() returns trigger language plpgsql as $$
declare
    note billing_creditnote;
    invoice billing_invoice;
begin
    select * into note from billing_creditnote
    where id = case when tg_table_name = 'billing_creditnote' then (to_jsonb(new) ->> 'id')::bigint
                    else (to_jsonb(new) ->> 'note_id')::bigint end;
    select * into invoice from billing_invoice where id = note.invoice_id;
    if invoice.status = 'draft' or note.currency <> invoice.currency then
        raise exception 'credit note % does not fit invoice %', note.number, invoice.number using errcode = '23514';
    end if;
    if note.subtotal <> coalesce((select sum(amount) from billing_creditnoteline where note_id = note.id), 0) then
        raise exception 'credit note % is not the sum of its lines', note.number using errcode = '23514';
    end if;
    if invoice.credited <> (select sum(total) from billing_creditnote where invoice_id = invoice.id) then
        raise exception 'invoice % does not know of all its credit notes', invoice.number using errcode = '23514';
    end if;
    if exists (
        select 1 from billing_creditnoteline c join billing_invoiceline l on l.id = c.line_id
        where c.note_id = note.id and (l.invoice_id <> invoice.id or abs(l.amount) < abs((
            select sum(o.amount) from billing_creditnoteline o where o.line_id = l.id))
            or l.amount * c.amount < 0)) then
        raise exception 'credit note % takes back more than was charged', note.number using errcode = '23514';
    end if;
    return null;
end $$;
create constraint trigger billing_credit_note_holds after insert on billing_creditnote
    deferrable initially deferred for each row execute function billing_credit_note_holds();
create constraint trigger billing_credit_note_line_holds after insert on billing_creditnoteline
    deferrable initially deferred for each row execute function billing_credit_note_holds();

-- The other side of the same sum: what an invoice says was credited is what its notes come to.
create function billing_credited_is_documented() returns trigger language plpgsql as $$
declare
    noted numeric := coalesce((select sum(total) from billing_creditnote where invoice_id = new.id), 0);
begin
    if (select credited from billing_invoice where id = new.id) <> noted then
        raise exception 'invoice %: credit notes come to %', new.number, noted using errcode = '23514';
    end if;
    return null;
end $$;
create constraint trigger billing_credited_is_documented after update on billing_invoice
    deferrable initially deferred for each row when (old.credited is distinct from new.credited)
    execute function billing_credited_is_documented();
