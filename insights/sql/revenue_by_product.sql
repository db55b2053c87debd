-- Lines of issued invoices by product, this month beside the one before, before credits and tax.
-- Parameters: month, before (first days). Reads billing_invoice, billing_invoiceline, billing_product. Locks nothing.
select line.product, coalesce(product.name, nullif(line.product, ''), 'Manual lines'), min(line.group), invoice.currency,
       coalesce(sum(line.usage) filter (where invoice.period_start = %(month)s), 0),
       coalesce(sum(line.amount) filter (where invoice.period_start = %(month)s), 0) as amount,
       coalesce(sum(line.amount) filter (where invoice.period_start = %(before)s), 0),
       count(distinct invoice.account_id) filter (where invoice.period_start = %(month)s)
from billing_invoiceline line
join billing_invoice invoice on invoice.id = line.invoice_id
left join billing_product product on product.code = line.product
where invoice.status not in ('draft', 'void') and invoice.period_start in (%(month)s, %(before)s)
group by line.product, product.name, invoice.currency
order by invoice.currency, amount desc, line.product
