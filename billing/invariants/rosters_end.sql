-- R-40 Every account of a closed run has ended, and every shard of it is done.
select r.run_id as run, r.account_id as account, r.outcome, r.reason
from billing_runaccount r join billing_run on billing_run.id = r.run_id
where billing_run.state = 'closed' and r.outcome not in ('issued', 'zero', 'held', 'failed')
union all
select s.run_id, null, s.phase || ' ' || s.number, s.state
from billing_runshard s join billing_run on billing_run.id = s.run_id
where billing_run.state = 'closed' and s.state not in ('done', 'dead')
