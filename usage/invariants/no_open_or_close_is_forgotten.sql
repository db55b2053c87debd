-- R-14 Every open and close is in one believed interval, is a known problem, or waits to be paired.
-- database: usage
-- Counted in one pass without a join, so that no estimate of the planner's can make it slow.
select event_id, sum(places) as places
from (
    select id as event_id, 1 as said, 0 as places, 0 as waits from usage_event where type in ('open', 'close')
    union all
    select open_event_id, 0, 1, 0 from usage_interval where superseded_at is null
    union all
    select close_event_id, 0, 1, 0 from usage_interval where superseded_at is null and close_event_id is not null
    union all
    select event_id, 0, 1, 0 from usage_pairingproblem
    union all
    select event_id, 0, 0, 1 from usage_unpaired
) p
group by event_id
having sum(said) = 1 and sum(waits) = 0 and sum(places) <> 1
