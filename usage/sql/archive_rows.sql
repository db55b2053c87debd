-- A run of a month's events in the order of the archive: resource, time, id; with the source's name, and moments in
-- microseconds since 1970.
-- Parameters: first, last (the month), after_resource, after_time, after_id (the row before; of the first: '' and
-- anything), most. Reads usage_event by resource and time, usage_source. Locks nothing. Repeatable.
select e.id, e.source_id, s.name, e.event_id, e.type, (extract(epoch from e.time) * 1000000)::bigint, e.resource,
       e.product, e.meter, e.component, e.app, e.account, e.quantity,
       (extract(epoch from e.received_at) * 1000000)::bigint, e.amendment_id, e.time
from usage_event e join usage_source s on s.id = e.source_id
where e.time >= %(first)b and e.time < %(last)b
  and (e.resource, e.time, e.id) > (%(after_resource)b, %(after_time)b::timestamptz, %(after_id)b)
order by e.resource, e.time, e.id
limit %(most)b
