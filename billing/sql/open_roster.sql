-- The roster of a run: every account that may still be billed, in shards of equal size by row. One that is closed stays
-- until a run has settled it: while the last one gave it up, or an invoice of it was voided and not billed again.
-- Parameters: run, month (its first day), size (accounts in a shard), since (accounts closed before it are past).
-- Reads accounts_account, billing_run, billing_runaccount, billing_invoice, billing_invoiceline; writes
-- billing_runaccount. Locks: none.
-- Not repeatable: a run has one roster.
insert into billing_runaccount (run_id, account_id, shard, outcome, reason_code, reason, inputs_hash)
select %(run)s, id, (row_number() over (order by id) - 1) / %(size)s, 'pending', '', '', ''
from accounts_account
where closed_at is null or closed_at >= %(since)s
   or id in (select e.account_id from billing_runaccount e
             where e.outcome in ('held', 'failed') and e.run_id = (
                 select r.id from billing_run r where not r.shadow and r.state = 'closed' and r.month < %(month)s
                 order by r.month desc limit 1))
   or id in (select v.account_id from billing_invoice v
             where v.status = 'void' and v.kind = 'periodic' and v.period_start < %(month)s and not exists (
                 select 1 from billing_invoice i join billing_invoiceline l on l.invoice_id = i.id
                 where i.account_id = v.account_id and i.kind = 'periodic' and not i.shadow
                   and i.status not in ('draft', 'void')
                   and l.period_start >= v.period_start::timestamp at time zone 'UTC'
                   and l.period_start < v.period_end::timestamp at time zone 'UTC'))
