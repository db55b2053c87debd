-- R-18 A shadow run neither numbers nor posts anything, and takes no credit.
select i.id as invoice, i.number, i.status
from billing_invoice i join billing_run r on r.id = i.run_id
where (r.shadow or i.shadow)
  and (i.shadow <> r.shadow or i.number is not null or i.status <> 'draft'
       or exists (select 1 from billing_creditapplication a where a.invoice_id = i.id)
       or exists (select 1 from billing_ledgertransaction t where t.source_type = 'invoice' and t.source_id = i.id))
