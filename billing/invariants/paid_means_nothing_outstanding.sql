-- R-29 An invoice is paid exactly when nothing of it is outstanding, and credit notes are counted in full.
select i.id as invoice, i.number, i.status, i.total, i.settled, i.credited, coalesce(n.amount, 0) as noted
from billing_invoice i
left join (select invoice_id, sum(total - granted) as amount from billing_creditnote group by invoice_id) n on n.invoice_id = i.id
where (i.status = 'paid' and i.outstanding <> 0)
   or (i.status in ('open', 'uncollectible') and i.outstanding <= 0)
   or i.credited <> coalesce(n.amount, 0)
