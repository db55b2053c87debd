-- What one account's resources used, one by one, in some spans: resource, app, product, meter, component, span, amount
-- (seconds times level, or the measured quantity).
-- Parameters: account, starts, ends (arrays; the spans tile one stretch of time, in order), first, last (its ends),
--   cutoff, and one kind to look at: app, product, meter, component (null: any). Reads usage_interval, usage_ownership,
--   usage_event, usage_amendment. Locks nothing. Repeatable: the same cut-off finds the same rows.
-- What counts is what account_usage.sql counts; a test holds the two against each other.
with spans as (
    select (n - 1)::int as span, start, "end"
    from unnest(%(starts)b::timestamptz[], %(ends)b::timestamptz[]) with ordinality as s (start, "end", n)
), owned as materialized (
    select resource, app, start, coalesce("end", 'infinity') as "end"
    from usage_ownership
    where account = %(account)b and resource <> ''
      and recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
      and start < %(last)b and ("end" is null or "end" > %(first)b)
), used as (
    select i.resource, coalesce(nullif(i.app, ''), o.app) as app, i.product, i.meter, i.component, s.span,
           i.level * extract(epoch from least(i.closed, o."end", s."end") - greatest(i.opened, o.start, s.start))
               as amount
    from owned o
    join usage_interval i using (resource)
    join spans s on i.opened < s."end" and (i.closed is null or i.closed > s.start)
        and o.start < s."end" and o."end" > s.start
    where i.recorded_at <= %(cutoff)b and (i.superseded_at is null or i.superseded_at > %(cutoff)b)
      and i.opened < o."end" and (i.closed is null or i.closed > o.start)
    union all
    select e.resource, coalesce(nullif(e.app, ''), o.app), e.product, e.meter, e.component, s.span, e.quantity
    from owned o
    join usage_event e on e.resource = o.resource and e.type = 'measured'
        and e.time >= greatest(o.start, %(first)b) and e.time < least(o."end", %(last)b)
    join spans s on e.time >= s.start and e.time < s."end"
    where {effective}
)
select resource, app, product, meter, component, span, trim_scale(sum(amount))
from used
where app = coalesce(%(app)b::text, app) and product = coalesce(%(product)b::text, product)
  and meter = coalesce(%(meter)b::text, meter) and component = coalesce(%(component)b::text, component)
group by resource, app, product, meter, component, span
