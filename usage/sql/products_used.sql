-- What was used in a span at all, whoever owned it: product, whether it was measured rather than run.
-- Parameters: first, last (the span), cutoff. Reads usage_interval, usage_event, usage_amendment. Locks nothing.
-- Repeatable: the same cut-off finds the same rows.
select distinct product, false
from usage_interval
where recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
  and opened < %(last)b and (closed is null or closed > %(first)b)
union
select distinct e.product, true
from usage_event e
where e.type = 'measured' and e.time >= %(first)b and e.time < %(last)b
  and {effective}
