-- R-29 What an invoice says was settled is what payments allocated to it, less what chargebacks undid.
select i.number as invoice, i.settled, coalesce(a.amount, 0) - coalesce(r.amount, 0) as allocated
from billing_invoice i
left join (select invoice_id, sum(amount) as amount from collections_allocation group by invoice_id) a
    on a.invoice_id = i.id
left join (select o.invoice_id, sum(v.amount) as amount
           from collections_allocationreversal v join collections_allocation o on o.id = v.allocation_id
           group by o.invoice_id) r on r.invoice_id = i.id
where i.status <> 'draft' and i.settled <> coalesce(a.amount, 0) - coalesce(r.amount, 0)
