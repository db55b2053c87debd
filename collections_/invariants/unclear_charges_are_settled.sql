-- R-30 No charge is without an answer for more than three days without a person being asked.
select t.key, t.outcome, t.amount, t.currency, t.submitted_at
from collections_chargeattempt t
where t.outcome in ('submitting', 'unknown') and t.submitted_at < now() - interval '73 hours'
