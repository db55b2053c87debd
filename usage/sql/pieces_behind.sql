-- What one account's usage of one kind in a span is made of, piece by piece: resource, measured, start, until, level,
-- amount (seconds times level, or the measured quantity), id, and of the events that say where it begins and ends their
-- source, identifier and time (a measured quantity has one; what still runs has no end; an archived one only a time).
-- Parameters: account; app, product, meter, component (the kind); first, last (the span); cutoff; most; and of the
--   piece before: after_resource, after_measured, after_start, after_id. Reads usage_ownership, usage_interval,
--   usage_event, usage_amendment, usage_source. Locks nothing. Repeatable: the same cut-off finds the same pieces.
-- What counts is what account_usage.sql counts; a test holds the two against each other.
with owned as materialized (
    select resource, app, start, coalesce("end", 'infinity') as "end"
    from usage_ownership
    where account = %(account)b and resource <> '' and resource >= %(after_resource)b
      and recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
      and start < %(last)b and ("end" is null or "end" > %(first)b)
), pieces as (
    select i.resource, false as measured, greatest(i.opened, o.start, %(first)b) as start,
           least(i.closed, o."end", %(last)b) as until, i.level, i.id, i.opened as begun, i.open_event_id as begins,
           i.closed as ended, i.close_event_id as ends, coalesce(nullif(i.app, ''), o.app) as app, i.component
    from owned o
    join usage_interval i using (resource)
    where i.product = %(product)b and i.meter = %(meter)b
      and i.recorded_at <= %(cutoff)b and (i.superseded_at is null or i.superseded_at > %(cutoff)b)
      and i.opened < least(o."end", %(last)b)
      and (i.closed is null or i.closed > greatest(o.start, %(first)b))
    union all
    select e.resource, true, e.time, null, e.quantity, e.id, e.time, e.id, null, null,
           coalesce(nullif(e.app, ''), o.app), e.component
    from owned o
    join usage_event e on e.resource = o.resource and e.type = 'measured'
        and e.time >= o.start and e.time < o."end" and e.time >= %(first)b and e.time < %(last)b
    where e.product = %(product)b and e.meter = %(meter)b and {effective}
), page as (
    select * from pieces
    where app = %(app)b and component = %(component)b
      and (resource, measured, start, id)
          > (%(after_resource)b::text, %(after_measured)b::boolean, %(after_start)b::timestamptz, %(after_id)b::bigint)
    order by resource, measured, start, id
    limit %(most)b
)
select p.resource, p.measured, p.start, p.until, p.level,
       trim_scale(p.level * case when p.measured then 1 else extract(epoch from p.until - p.start) end), p.id,
       (select name from usage_source s where s.id = b.source_id), b.event_id, p.begun,
       (select name from usage_source s where s.id = e.source_id), e.event_id, p.ended
from page p
left join usage_event b on b.resource = p.resource and b.time = p.begun and b.id = p.begins
left join usage_event e on e.resource = p.resource and e.time = p.ended and e.id = p.ends
order by p.resource, p.measured, p.start, p.id
