-- How the months of some accounts ended: code, month, outcome (of the roster; void when its invoice was voided), cutoff
-- (what it was drafted from), products that its invoice has usage lines for.
-- Parameters: codes (array), first, last (first days of months, inclusive). Reads billing_runaccount, billing_run,
-- billing_runshard, billing_invoice, billing_invoiceline, accounts_account. Locks nothing. Repeatable.
select a.code, r.month, case i.status when 'void' then 'void' else e.outcome end, coalesce(s.cutoff, r.cutoff),
       array(select distinct l.product from billing_invoiceline l
             where l.invoice_id = e.invoice_id and l.kind = 'usage')
from accounts_account a
join billing_runaccount e on e.account_id = a.id
join billing_run r on r.id = e.run_id and not r.shadow and r.state <> 'cancelled'
left join billing_runshard s on s.run_id = r.id and s.phase = 'draft' and s.number = e.shard
left join billing_invoice i on i.id = e.invoice_id
where a.code = any(%(codes)s) and r.month between %(first)s and %(last)s
