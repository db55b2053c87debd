-- What some accounts used of each product in some spans, as known at a cut-off: one row per account, app, product,
-- meter, component and span.
-- Parameters: accounts, starts, ends (arrays; the spans tile one stretch of time, in order), first, last (its ends),
--   cutoff. Reads usage_interval, usage_ownership, usage_event, usage_amendment. Locks nothing. Repeatable: history
--   only grows, so the same cut-off finds the same rows for ever.
-- Time is interval ∩ ownership ∩ span, each second as often as the level says; a measured quantity belongs to whoever
-- owned the resource at its time.
-- The hash is a sum over what was counted, so that neither a plan nor an order of rows changes it.
with spans as (
    select (n - 1)::int as span, start, "end"
    from unnest(%(starts)b::timestamptz[], %(ends)b::timestamptz[]) with ordinality as s (start, "end", n)
), owned as materialized (
    select account, app, resource, start, coalesce("end", 'infinity') as "end"
    from usage_ownership
    where account = any(%(accounts)b::text[])
      and resource <> ''
      and recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
      and start < %(last)b and ("end" is null or "end" > %(first)b)
), held as (
    select o.account, o.resource, coalesce(nullif(i.app, ''), o.app) as app, i.product, i.meter, i.component, i.level,
           greatest(i.opened, o.start, %(first)b) as "from", least(i.closed, o."end", %(last)b) as "until"
    from owned o
    join usage_interval i using (resource)
    where i.recorded_at <= %(cutoff)b and (i.superseded_at is null or i.superseded_at > %(cutoff)b)
      and i.opened < least(o."end", %(last)b)
      and (i.closed is null or i.closed > greatest(o.start, %(first)b))
), used as (
    select account, resource, app, product, meter, component, span, false as measured,
           level * extract(epoch from least(h."until", s."end") - greatest(h."from", s.start)) as amount,
           concat_ws('|', resource, extract(epoch from greatest(h."from", s.start)),
                     extract(epoch from least(h."until", s."end")), nullif(trim_scale(level), 1)) as input
    from held h join spans s on h."from" < s."end" and h."until" > s.start
    union all
    select o.account, e.resource, coalesce(nullif(e.app, ''), o.app), e.product, e.meter, e.component, s.span, true,
           e.quantity,
           concat_ws('|', e.resource, e.source_id, e.event_id, trim_scale(e.quantity))
    from owned o
    join usage_event e on e.resource = o.resource and e.type = 'measured'
        and e.time >= o.start and e.time < o."end" and e.time >= %(first)b and e.time < %(last)b
    join spans s on e.time >= s.start and e.time < s."end"
    where {effective}
), by_resource as (
    select account, app, product, meter, component, measured, resource, span, sum(amount) as amount,
           sum(('x' || left(md5(input), 15))::bit(60)::bigint) as hash,
           min(span) over (partition by account, app, product, meter, component, measured, resource) = span as is_new
    from used
    group by account, app, product, meter, component, measured, resource, span
)
select account, app, product, meter, component, span, trim_scale(sum(amount)), measured, count(*)::int,
       (count(*) filter (where is_new))::int, sum(hash)::text
from by_resource
group by account, app, product, meter, component, measured, span
order by account, app, product, meter, component, measured, span
