-- R-42 Nothing was taken away from an account that had not been told before, or that paid in time.
select s.id as step, s.name, s.invoice_id as invoice, s.taken_on
from collections_casestep s
join billing_invoice i on i.id = s.invoice_id
where s.kind in ('restrict', 'suspend', 'hand_over', 'write_off')
    and (s.taken_on <= i.due_on or not exists (
        select 1 from collections_casestep n
        where n.invoice_id = s.invoice_id and n.kind = 'notice' and n.taken_on < s.taken_on))
