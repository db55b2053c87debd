-- What was told of a resource in a stretch of time, and what of it counts: its events in order of time.
-- Parameters: resource, start, end, meter (empty: all), cutoff, most. Reads usage_event by resource and time,
-- usage_source, usage_amendment. Locks nothing. Repeatable: the same cut-off finds the same rows.
select e.id, s.name, e.event_id, e.type, e.time, e.resource, e.product, e.meter, e.component, e.app, e.account,
       trim_scale(e.quantity), e.received_at, e.amendment_id, ({effective}) as counts
from usage_event e
join usage_source s on s.id = e.source_id
where e.resource = %(resource)b and e.time >= %(start)b and e.time < %(end)b and %(meter)b in ('', e.meter)
  and e.received_at <= %(cutoff)b
order by e.time, e.source_id, e.event_id
limit %(most)b
