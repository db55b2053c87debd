-- What the database refuses about giving back: more of one thing than was charged for it, by credit notes and by
-- withdrawn usage together, and a note whose credits, lines and invoice do not agree.
-- Parameters: none. Reads: billing_creditnote, billing_creditnoteline, billing_creditgrant, billing_invoice,
-- billing_invoiceline, billing_run. Writes: nothing. Locks: none; whoever corrects holds the invoice.
-- Run once, by a migration. Repeatable: yes (create or replace).

-- What is left of all that was charged for one thing in one month, on live invoices, less what notes took back.
create or replace function billing_left_of(
    account bigint, currency text, app text, product text, component text, meter text, moment timestamptz
) returns numeric language sql stable as $$
    select coalesce(sum(l.amount - coalesce((
        select sum(c.amount) from billing_creditnoteline c where c.line_id = l.id), 0)), 0)
    from billing_invoice i
    left join billing_run r on r.id = i.run_id
    join billing_invoiceline l on l.invoice_id = i.id
    where i.account_id = billing_left_of.account and i.currency = billing_left_of.currency
      and i.kind = 'periodic' and not i.shadow and i.status <> 'void'
      and (i.status <> 'draft' or r.state not in ('closed', 'cancelled'))
      and l.kind <> 'manual'
      and (l.app, l.product, l.component, l.meter)
          = (billing_left_of.app, billing_left_of.product, billing_left_of.component, billing_left_of.meter)
      and date_trunc('month', l.period_start, 'UTC') = date_trunc('month', billing_left_of.moment, 'UTC')
$$;

create or replace function billing_credit_note_holds() returns trigger language plpgsql as $$
declare
    note billing_creditnote;
    invoice billing_invoice;
    given numeric;
begin
    select * into note from billing_creditnote
    where id = case when tg_table_name = 'billing_creditnote' then (to_jsonb(new) ->> 'id')::bigint
                    else (to_jsonb(new) ->> 'note_id')::bigint end;
    select * into invoice from billing_invoice where id = note.invoice_id;
    if invoice.status = 'draft' or note.currency <> invoice.currency then
        raise exception 'credit note % does not fit invoice %', note.number, invoice.number using errcode = '23514';
    end if;
    if (note.subtotal, note.granted) <> (
        select coalesce(sum(amount), 0), coalesce(sum(amount) filter (where settlement <> 'owed'), 0)
        from billing_creditnoteline where note_id = note.id) then
        raise exception 'credit note % is not the sum of its lines', note.number using errcode = '23514';
    end if;
    select coalesce(sum(amount), 0) into given from billing_creditgrant
    where note_id = note.id and account_id = invoice.account_id and currency = note.currency and state = 'active';
    if note.granted <> given then
        raise exception 'of credit note % % became credits, not %', note.number, given, note.granted
            using errcode = '23514';
    end if;
    if invoice.credited <> (select sum(total - granted) from billing_creditnote where invoice_id = invoice.id) then
        raise exception 'invoice % does not know of all its credit notes', invoice.number using errcode = '23514';
    end if;
    if exists (
        select 1 from billing_creditnoteline c join billing_invoiceline l on l.id = c.line_id
        where c.note_id = note.id and (l.invoice_id <> invoice.id or abs(l.amount) < abs((
            select sum(o.amount) from billing_creditnoteline o where o.line_id = l.id))
            or l.amount * c.amount < 0
            or (invoice.kind = 'periodic' and l.kind <> 'manual' and l.meter not like 'contract: %' and billing_left_of(
                invoice.account_id, invoice.currency, l.app, l.product, l.component, l.meter, l.period_start) < 0))) then
        raise exception 'credit note % takes back more than was charged', note.number using errcode = '23514';
    end if;
    return null;
end $$;

create or replace function billing_credited_is_documented() returns trigger language plpgsql as $$
declare
    noted numeric := coalesce((select sum(total - granted) from billing_creditnote where invoice_id = new.id), 0);
begin
    if (select credited from billing_invoice where id = new.id) <> noted then
        raise exception 'invoice %: credit notes come to %', new.number, noted using errcode = '23514';
    end if;
    return null;
end $$;

-- Withdrawn usage that a run writes into drafts: it gives back no more than notes and earlier withdrawals left.
create or replace function billing_withdraws_what_was_charged() returns trigger language plpgsql as $$
declare
    wrong text;
begin
    select string_agg(format('%s %s', t.app, t.description), ', ') into wrong
    from touched t join billing_invoice i on i.id = t.invoice_id
    where t.kind = 'adjustment' and t.amount < 0 and t.meter not like 'contract: %' and not i.shadow and i.kind = 'periodic'
      and billing_left_of(i.account_id, i.currency, t.app, t.product, t.component, t.meter, t.period_start) < 0;
    if wrong is not null then
        raise exception 'it gives back more than was charged: %', wrong using errcode = '23514';
    end if;
    return null;
end $$;
