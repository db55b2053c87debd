-- Opens, closes and levels that make no interval, oldest first: event, kind, resource, meter, product, type, at, seen_at,
-- source, source's event id, the opening that it repeats (null: none).
-- Parameters: kind (empty: all), resource (empty: all), most. Reads usage_pairingproblem, usage_event and usage_interval
-- by resource. Locks nothing. Repeatable.
select p.event_id, p.kind, p.resource, p.meter, p.product, p.type, p.at, p.seen_at, e.source_id, e.event_id,
       (select max(i.opened) from usage_interval i
        where i.resource = p.resource and i.meter = p.meter and i.superseded_at is null
          and i.opened <= p.at and (i.closed is null or i.closed > p.at))
from usage_pairingproblem p
left join usage_event e on e.resource = p.resource and e.time = p.at and e.id = p.event_id
where %(kind)b in ('', p.kind) and %(resource)b in ('', p.resource)
order by p.at, p.event_id
limit %(most)b
