-- What waits in the usage store: events not yet paired and quarantined ones, and for how long the oldest of each waits.
-- Parameters: none. Reads usage_unpaired, usage_event by resource and time, usage_quarantinedevent. Locks nothing.
-- Repeatable.
select (select count(*) from usage_unpaired) as unpaired,
       coalesce((
           select extract(epoch from clock_timestamp() - e.received_at)
           from (select * from usage_unpaired order by event_id limit 1) u
           join usage_event e on e.resource = u.resource and e.time = u.time and e.id = u.event_id
       ), 0) as unpaired_oldest_seconds,
       count(*) as quarantined,
       coalesce(extract(epoch from clock_timestamp() - min(received_at)), 0) as quarantine_oldest_seconds
from usage_quarantinedevent where state = 'waiting'
