-- R-27 No invoice takes more credit than its lines come to, nor more of a grant than its monthly cap.
select i.id as invoice, i.number, i.subtotal, i.credits, g.id as credit, a.amount
from billing_invoice i
left join billing_creditapplication a on a.invoice_id = i.id
left join billing_creditgrant g on g.id = a.grant_id
where (i.credits > 0 and i.credits > i.subtotal) or a.amount > coalesce(g.cap_per_month, a.amount)
