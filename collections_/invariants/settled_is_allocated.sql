-- R-29 What an invoice says was settled is the sum of what payments allocated to it.
select i.number as invoice, i.settled, coalesce(sum(a.amount), 0) as allocated
from billing_invoice i left join collections_allocation a on a.invoice_id = i.id
where i.status <> 'draft'
group by i.id
having i.settled <> coalesce(sum(a.amount), 0)
