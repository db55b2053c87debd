-- R-43 Each notice that was sent has exactly one mail about its invoice, queued before it was recorded.
select s.id as step, s.name, i.number as invoice, count(m.id) as mails
from collections_casestep s
join billing_invoice i on i.id = s.invoice_id
left join core_mail m on m.kind = 'dunning.' || s.name and m.reference = i.number
where s.kind = 'notice' and s.result like 'sent to %'
group by s.id, i.number
having count(m.id) <> 1
