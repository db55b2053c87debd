-- Issue the drafts of one shard: number, date, status, and the parties as they are now.
-- Parameters: run, shard, code (the seller's), after (the number before the first), on (date), sold_by (JSON).
-- Reads billing_runaccount, accounts_account; writes billing_invoice. Locks: the invoices' rows; the caller holds the
-- number series. Returns the rows in number order. Repeatable: issued ones are no drafts any more.
with numbered as (
    select i.id, row_number() over (order by a.code collate "C", i.currency) + %(after)s as counter,
           %(on)s::date + a.payment_terms_days as due_on,
           jsonb_build_object('account', a.code, 'name', a.name, 'address', a.address, 'country', a.country,
                              'region', a.region, 'tax_id', a.tax_id, 'email', a.email) as bill_to
    from billing_runaccount r
    join billing_invoice i on i.id = r.invoice_id
    join accounts_account a on a.id = i.account_id
    where r.run_id = %(run)s and r.shard = %(shard)s and r.outcome = 'drafted' and i.status = 'draft'
)
update billing_invoice i
set status = case when i.total = 0 then 'paid' else 'open' end,
    number = billing_number(%(code)s, 'invoice', extract(year from %(on)s::date)::int, n.counter),
    issued_on = %(on)s, due_on = n.due_on, issued_at = clock_timestamp(), bill_to = n.bill_to,
    sold_by = %(sold_by)s::jsonb
from numbered n
where i.id = n.id
returning i.id
