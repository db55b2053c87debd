-- R-12 At the time of every gauge event that counts, its level is believed; zero is no interval.
-- database: usage
-- Of two at one instant the later by source and identifier counts. A resource with waiting events is looked at later.
with gives_way as (
    select e.resource, e.time, e.id
    from usage_amendment a
    join usage_event e on e.resource = a.resource and e.time >= a.start and e.time < a."end"
    where a.reverted_at is null and a.meter in ('', e.meter) and e.received_at < a.recorded_at
    union
    select e.resource, e.time, e.id
    from usage_amendment a join usage_event e on e.resource = a.resource and e.amendment_id = a.id
    where a.reverted_at is not null
), said as (
    select distinct on (e.resource, e.meter, e.product, e.time) e.id, e.resource, e.meter, e.product, e.time, e.quantity
    from usage_event e
    where e.type = 'gauge' and not exists (select from gives_way g where g.resource = e.resource and g.id = e.id)
    order by e.resource, e.meter, e.product, e.time, e.source_id desc, e.event_id collate "C" desc
)
select s.resource, s.meter, s.product, s.time, s.quantity, i.level
from said s
left join usage_interval i
    on i.resource = s.resource and i.meter = s.meter and i.product = s.product and i.superseded_at is null
   and i.opened <= s.time and (i.closed is null or i.closed > s.time)
where s.quantity <> coalesce(i.level, 0)
  and not exists (select from usage_pairingproblem p where p.resource = s.resource and p.event_id = s.id)
  and not exists (select from usage_unpaired u where u.resource = s.resource)
