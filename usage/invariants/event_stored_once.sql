-- R-09 A usage event is stored once per source and identifier, as its key says, and its source exists.
-- database: usage
-- Counted in one pass without a join, so that no estimate of the planner's can make it slow. Of a month that was moved
-- to the archive the keys stay, and some of the events.
with archived as materialized (
    select to_char(month, 'YYYY-MM') as month from usage_montharchive where state = 'archived'
), counted as (
    select source_id, event_id, id, resource, time, 1 as events, 0 as keys, false as archived from usage_event
    union all
    select source_id, event_id, event, resource, time, 0, 1,
           to_char(time at time zone 'UTC', 'YYYY-MM') in (select month from archived)
    from usage_eventkey
)
select source_id, event_id, sum(events) as stored, 'not stored once, as its key says' as finding
from counted
group by source_id, event_id
having sum(events) > 1 or sum(events) = 0 and not bool_or(archived) or sum(keys) <> 1 or min(id) <> max(id) or min(time) <> max(time)
    or min(resource) <> max(resource)
union all
select e.source_id, e.event_id, 1, 'its source is gone'
from usage_event e where not exists (select from usage_source s where s.id = e.source_id)
