-- One month's issued lines, credits and taxes as FOCUS needs them. Parameters: month (first day).
-- Reads billing_invoice, billing_invoiceline, billing_product, accounts_account. Locks nothing.
with issued as (
    select i.*, a.code as account, a.name as account_name, i.sold_by ->> 'name' as seller
    from billing_invoice i join accounts_account a on a.id = i.account_id
    where i.status not in ('draft', 'void') and i.period_start = %(month)s)
select i.number, i.account, i.account_name, i.currency, i.period_start, i.period_end, i.seller, 'Usage' as category,
       l.kind = 'adjustment' as correction, l.description, l.period_start as charged_from, l.period_end as charged_to,
       l.app, l.product, coalesce(p.name, l.description) as product_name, l.group, l.quantity, l.unit, l.unit_amount, l.amount,
       l.position as place
from issued i join billing_invoiceline l on l.invoice_id = i.id left join billing_product p on p.code = l.product
union all
select number, account, account_name, currency, period_start, period_end, seller, 'Credit', false, 'Credits',
       period_start::timestamptz, period_end::timestamptz, '', '', 'Credits', 'other', 1, '', null, -credits, 1000000
from issued where credits > 0
union all
select number, account, account_name, currency, period_start, period_end, seller, 'Tax', false, tax_name,
       period_start::timestamptz, period_end::timestamptz, '', '', 'Tax', 'other', 1, '', null, tax, 1000001
from issued where tax > 0
order by number, place
