-- The cut-offs that the drafts of some months were built from: cutoff, month, whether the month's run has ended.
-- Parameters: first, last (first days of months, inclusive). Reads billing_run, billing_runshard. Locks nothing.
-- Repeatable.
select distinct coalesce(s.cutoff, r.cutoff), r.month, r.state = 'closed'
from billing_run r left join billing_runshard s on s.run_id = r.id and s.phase = 'draft'
where not r.shadow and r.state <> 'cancelled' and r.month between %(first)s and %(last)s
