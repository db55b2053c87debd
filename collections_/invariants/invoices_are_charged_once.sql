-- R-30 No invoice is charged for more than it came to, as far as we asked for it.
select i.number as invoice, i.total, sum(least(t.amount, t.captured)) as charged
from collections_chargeattempt t join billing_invoice i on i.id = t.invoice_id
where t.outcome = 'succeeded'
group by i.id
having sum(least(t.amount, t.captured)) > i.total
