-- R-20 An issued invoice keeps its parties as they were and its dates in order.
select id as invoice, number, issued_on, due_on
from billing_invoice
where status <> 'draft' and run_id is not null
  and (bill_to ->> 'account' is null or sold_by ->> 'name' is null or issued_at is null or due_on < issued_on)
