-- R-26 The balance of a credit is what was granted less what invoices took, and never below nothing.
select g.id as credit, g.amount, g.balance, coalesce(t.amount, 0) as taken
from billing_creditgrant g
left join (select a.grant_id, sum(a.amount) as amount
           from billing_creditapplication a join billing_invoice i on i.id = a.invoice_id
           where i.status <> 'void' group by a.grant_id) t on t.grant_id = g.id
where g.balance <> g.amount - coalesce(t.amount, 0) or g.balance < 0
   or (g.state <> 'active' and coalesce(t.amount, 0) <> 0)
