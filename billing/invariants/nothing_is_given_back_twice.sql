-- R-27 Of what was charged for one thing in a month, notes and withdrawn usage together give back no more than all.
select i.account_id as account, i.currency, l.app, l.product, l.component, l.meter,
       date_trunc('month', l.period_start, 'UTC') as month, sum(l.amount) as charged, sum(coalesce(c.amount, 0)) as noted
from billing_invoice i
left join billing_run r on r.id = i.run_id
join billing_invoiceline l on l.invoice_id = i.id
left join (select line_id, sum(amount) as amount from billing_creditnoteline group by line_id) c on c.line_id = l.id
where i.kind = 'periodic' and not i.shadow and i.status <> 'void'
  and (i.status <> 'draft' or r.state not in ('closed', 'cancelled')) and l.kind <> 'manual'
  and l.meter not like 'contract: %'  -- below nothing by their nature: they follow what they are about
group by i.account_id, i.currency, l.app, l.product, l.component, l.meter, date_trunc('month', l.period_start, 'UTC')
having sum(l.amount) < sum(coalesce(c.amount, 0)) and not bool_or(l.author <> '')
