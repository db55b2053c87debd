-- The batches of one source that were received since a moment, newest first: received_at, events, first, last (times).
-- Parameters: source, since, until, most. Reads usage_event by receipt. Locks nothing. Repeatable.
select received_at, count(*)::int, min(time), max(time)
from usage_event
where received_at >= %(since)b and received_at <= %(until)b and source_id = %(source)b
group by received_at
order by received_at desc
limit %(most)b
