-- Where every event of some hours stands: source_id, hour, meter, place (paired, waiting, a pairing problem's kind, or
-- forgotten), account (that owns it; empty: nobody), product, month, known_by (the earliest of ``cutoffs`` at or after
-- its receipt; null: none), events, quantity.
-- Parameters: first, last (the span), sources (array of rows), cutoffs (array). Reads usage_event by time,
-- usage_interval, usage_unpaired, usage_pairingproblem, usage_ownership. Locks nothing. Repeatable.
-- A close belongs to the moment before it, which is the last that its interval has.
with happened as (
    select id, source_id, date_trunc('hour', time, 'UTC') as hour, type, meter, product, resource, quantity,
           received_at, case type when 'close' then time - interval '1 microsecond' else time end as at
    from usage_event
    where time >= %(first)b and time < %(last)b and source_id = any(%(sources)b::bigint[])
), resources as materialized (
    select distinct resource from happened
), ends as (
    select i.open_event_id as event_id, resource from usage_interval i join resources using (resource)
    where i.superseded_at is null
    union all
    select i.close_event_id, resource from usage_interval i join resources using (resource)
    where i.superseded_at is null and i.close_event_id is not null
), placed as (
    select h.*, o.account,
           case when h.type = 'measured' or i.event_id is not null then 'paired'
                when u.event_id is not null then 'waiting'
                else coalesce(p.kind, 'forgotten') end as place
    from happened h
    left join ends i on i.resource = h.resource and i.event_id = h.id
    left join usage_unpaired u on u.resource = h.resource and u.event_id = h.id
    left join usage_pairingproblem p on p.resource = h.resource and p.event_id = h.id
    left join usage_ownership o
        on o.resource = h.resource and o.superseded_at is null and o.start <= h.at and (o."end" is null or o."end" > h.at)
)
select source_id, hour, meter, place, coalesce(account, ''), product, date_trunc('month', at, 'UTC'),
       (select min(c) from unnest(%(cutoffs)b::timestamptz[]) as c where c >= received_at) as known_by,
       count(*)::bigint, trim_scale(coalesce(sum(quantity), 0))
from placed
group by source_id, hour, meter, place, account, product, date_trunc('month', at, 'UTC'), known_by
