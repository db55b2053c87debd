-- R-14 Every open and close is in one believed interval, is a known problem, or waits to be paired.
-- database: usage
with placed as (
    select open_event_id as event_id, 'interval' as place from usage_interval where superseded_at is null
    union all
    select close_event_id, 'interval' from usage_interval where superseded_at is null and close_event_id is not null
    union all
    select event_id, 'problem' from usage_pairingproblem
)
select e.id, e.resource, e.type, e.time, count(p.place) as places
from usage_event e left join placed p on p.event_id = e.id
where e.type in ('open', 'close') and not exists (select from usage_unpaired u where u.event_id = e.id)
group by e.id, e.resource, e.type, e.time
having count(p.place) <> 1
