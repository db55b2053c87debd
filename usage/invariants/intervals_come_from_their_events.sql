-- R-12 Every believed interval says what its open and its close say, and its level what its gauge says.
-- database: usage
select i.id, i.resource, i.opened, i.closed, i.level
from usage_interval i
left join usage_event o on o.resource = i.resource and o.time = i.opened and o.id = i.open_event_id
left join usage_event c on c.resource = i.resource and c.time = i.closed and c.id = i.close_event_id
where i.superseded_at is null
  and ((case when i.gauged then 'gauge' else 'open' end, i.meter, i.product, i.component, i.app, i.level)
           is distinct from (o.type, o.meter, o.product, o.component, o.app, coalesce(o.quantity, 1))
       or i.close_event_id is not null
           and (not (c.type = 'close' or i.gauged and c.type = 'gauge' and c.quantity <> i.level)
               or (i.meter, i.product) is distinct from (c.meter, c.product))
       or (i.close_event_id is null) <> (i.closed is null))
