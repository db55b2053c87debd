-- R-12 Every believed interval says what its open and its close say.
-- database: usage
select i.id, i.resource, i.opened, i.closed
from usage_interval i
left join usage_event o on o.id = i.open_event_id
left join usage_event c on c.id = i.close_event_id
where i.superseded_at is null
  and (('open', i.resource, i.meter, i.product, i.component, i.app, i.opened)
           is distinct from (o.type, o.resource, o.meter, o.product, o.component, o.app, o.time)
       or i.close_event_id is not null
           and ('close', i.resource, i.meter, i.product, i.closed)
               is distinct from (c.type, c.resource, c.meter, c.product, c.time)
       or (i.close_event_id is null) <> (i.closed is null))
