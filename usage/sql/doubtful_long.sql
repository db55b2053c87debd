-- Intervals that ran for very long before they closed, oldest first: the columns of doubtful_running.sql.
-- Parameters: now, longest (they ran longer, and more than 30 days, as the index says), resource (empty: all), most.
-- Reads usage_interval by its index of what ran long; usage_event and usage_ownership by resource. Locks nothing.
-- Repeatable.
select i.id, i.resource, i.meter, i.product, i.opened, i.closed, i.recorded_at, i.open_event_id, e.source_id, e.event_id,
       (select max(o."end") from usage_ownership o
        where o.resource = i.resource and o.superseded_at is null
        having bool_and(o."end" is not null and o."end" < %(now)b))
from usage_interval i
left join usage_event e on e.resource = i.resource and e.time = i.opened and e.id = i.open_event_id
where i.superseded_at is null and i.closed - i.opened > interval '30 days' and i.closed - i.opened > %(longest)b
  and %(resource)b in ('', i.resource)
order by i.opened, i.id
limit %(most)b
