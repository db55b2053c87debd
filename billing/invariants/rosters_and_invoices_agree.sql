-- R-18 Every roster line that was issued has its issued invoice, and every issued invoice of a run its roster line.
select coalesce(r.run_id, i.run_id) as run, coalesce(r.account_id, i.account_id) as account, r.outcome, i.number, i.status
from billing_runaccount r
full join (select * from billing_invoice where run_id is not null and status <> 'draft') i on i.id = r.invoice_id
where (r.outcome = 'issued') is distinct from (i.id is not null)
   or r.run_id <> i.run_id or r.account_id <> i.account_id
   or (r.id is null and i.id is not null)
