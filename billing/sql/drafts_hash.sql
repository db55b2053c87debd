-- The hash of everything a run's drafts say, from the rows themselves: what a second person agrees to.
-- Parameters: run. Reads billing_invoice, billing_invoiceline, billing_creditapplication,
-- billing_runaccount. Locks: none.
-- Repeatable: the same drafts give the same hash.
select encode(sha256(convert_to(coalesce(string_agg(said, E'\n' order by account_id, currency), ''), 'UTF8')), 'hex'),
       count(*)
from (
    select i.account_id, i.currency,
           concat_ws('|', i.account_id, i.currency, i.subtotal, i.credits, i.tax_name, i.tax_rate, i.tax, i.total,
                     i.content_hash, l.said, c.said) as said
    from billing_invoice i
    left join lateral (
        select md5(string_agg(concat_ws('|', position, kind, app, product, component, meter, description, quantity, unit,
                   unit_amount, amount, rated, price_id, usage, inputs_hash, reason, author), E'\n' order by position)) as said
        from billing_invoiceline where invoice_id = i.id) l on true
    left join lateral (
        select string_agg(grant_id || ':' || amount, ',' order by grant_id) as said
        from billing_creditapplication where invoice_id = i.id) c on true
    where i.run_id = %(run)s and i.status = 'draft'
      and exists (select 1 from billing_runaccount r where r.invoice_id = i.id and r.outcome = 'drafted')
) drafts
