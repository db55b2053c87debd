-- R-14 Every open and close that counts is in one believed interval, a known problem, or waiting; no other is in any.
-- database: usage
-- Counted in one pass without a join of large tables, so that no estimate of the planner's can make it slow.
with gives_way as (
    select distinct e.id
    from usage_amendment a
    join usage_event e on e.resource = a.resource and e.time >= a.start and e.time < a."end"
    where a.reverted_at is null and a.meter in ('', e.meter) and e.received_at < a.recorded_at
    union
    select e.id from usage_amendment a join usage_event e on e.resource = a.resource and e.amendment_id = a.id
    where a.reverted_at is not null
)
select event_id, sum(places) as places
from (
    select id as event_id, 1 as said, 0 as places, 0 as waits, 0 as displaced
    from usage_event where type in ('open', 'close')
    union all
    select open_event_id, 0, 1, 0, 0 from usage_interval where superseded_at is null
    union all
    select close_event_id, 0, 1, 0, 0 from usage_interval where superseded_at is null and close_event_id is not null
    union all
    select event_id, 0, 1, 0, 0 from usage_pairingproblem
    union all
    select event_id, 0, 0, 1, 0 from usage_unpaired
    union all
    select id, 0, 0, 0, 1 from gives_way
) p
group by event_id
having sum(said) = 1 and sum(waits) = 0 and sum(places) <> 1 - sum(displaced)
