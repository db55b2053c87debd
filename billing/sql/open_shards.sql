-- The draft shards of a run's roster. Parameters: run, cutoff.
-- Reads billing_runaccount; writes billing_runshard. Locks: none. Not repeatable within one run.
insert into billing_runshard
    (run_id, phase, number, accounts, cutoff, state, attempts, fence, run_after, last_error)
select %(run)s, 'draft', shard, count(*), %(cutoff)s, 'ready', 0, 0, clock_timestamp(), ''
from billing_runaccount
where run_id = %(run)s
group by shard
