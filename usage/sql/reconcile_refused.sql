-- Refused events that are waiting or discarded, as far as their bodies tell: source_id, time (as written), meter (empty:
-- none said), events. One body that was refused for several reasons counts once; a conflict does not count, because
-- the event it rivals was received.
-- Parameters: since, until (of receipt), sources (array of rows). Reads usage_quarantinedevent. Locks nothing. Repeatable.
select source_id, substring(body from '"time"\s*:\s*"([^"]{1,40})"') as time,
       coalesce(substring(body from '"meter"\s*:\s*"([^"]{1,100})"'), '') as meter, count(distinct body_hash)::bigint
from usage_quarantinedevent
where state <> 'replayed' and code <> 'conflict' and source_id = any(%(sources)b::bigint[])
  and received_at >= %(since)b and received_at < %(until)b
group by 1, 2, 3
