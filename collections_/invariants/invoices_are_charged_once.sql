-- R-30 No invoice is charged for more than it came to.
select i.number as invoice, i.total, sum(t.amount) as charged
from collections_chargeattempt t join billing_invoice i on i.id = t.invoice_id
where t.outcome = 'succeeded'
group by i.id
having sum(t.amount) > i.total
