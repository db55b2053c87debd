-- What all invoices so far say was used in one month, by line. Parameters: accounts (rows), start and end of the month
-- (timestamps), month (first day of the month now being billed, whose own invoices do not count; null: all count).
-- Drafts count, unless their run ended without them. Reads billing_invoice, billing_run, billing_invoiceline,
-- billing_creditnote, billing_creditnoteline, billing_product. Locks: none. Repeatable for the same books.
with noted as materialized (
    select c.line_id, sum(c.amount) as amount
    from billing_creditnote n
    join billing_invoice i on i.id = n.invoice_id
    join billing_creditnoteline c on c.note_id = n.id
    where i.account_id = any (%(accounts)s) and i.period_start >= %(start)s::date
    group by c.line_id
)
select i.account_id, i.currency, l.app, l.product, l.component, l.meter, l.price_id,
       sum(l.rated), sum(coalesce(l.usage, 0)), sum(l.quantity),
       (array_agg(l.description order by l.id))[1], (array_agg(l.group order by l.id))[1],
       coalesce(bool_or(p.partner), false),
       (array_agg(l.unit order by l.id))[1], (array_agg(l.unit_amount order by l.id))[1],
       min(l.period_start), max(l.period_end),
       sum(l.amount) - coalesce(sum(back.amount), 0)
from billing_invoice i
left join billing_run r on r.id = i.run_id
join billing_invoiceline l on l.invoice_id = i.id
left join billing_product p on p.code = l.product
left join noted back on back.line_id = l.id
where i.account_id = any (%(accounts)s) and not i.shadow and i.status <> 'void' and i.kind = 'periodic'
  and (%(month)s::date is null or i.period_start <> %(month)s::date) and l.kind in ('usage', 'adjustment', 'contract')
  and (i.status <> 'draft' or r.state not in ('closed', 'cancelled')) and i.period_start >= %(start)s::date
  and l.period_start >= %(start)s and l.period_start < %(end)s
group by i.account_id, i.currency, l.app, l.product, l.component, l.meter, l.price_id
