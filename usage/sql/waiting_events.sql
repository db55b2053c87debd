-- Return the events that pairing has not looked at yet, oldest first: event_id, resource, time, meter, type, account,
-- app. Parameters: most. Reads usage_unpaired, usage_event by resource and time. Locks nothing (the caller holds the
-- history). Repeatable.
select u.event_id, u.resource, u.time, e.meter, e.type, e.account, e.app
from (select * from usage_unpaired order by event_id limit %(most)b) u
join usage_event e on e.resource = u.resource and e.time = u.time and e.id = u.event_id
order by u.event_id
