-- The roster of a run: every account that may still be billed, in shards of equal size by row.
-- Parameters: run, size (accounts in a shard), since (accounts closed before it are past).
-- Reads accounts_account; writes billing_runaccount. Locks: none. Not repeatable: a run has one roster.
insert into billing_runaccount (run_id, account_id, shard, outcome, reason_code, reason, inputs_hash)
select %(run)s, id, (row_number() over (order by id) - 1) / %(size)s, 'pending', '', '', ''
from accounts_account
where closed_at is null or closed_at >= %(since)s
