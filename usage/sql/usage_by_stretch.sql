-- What one account used, added up by where its stretches of running time begin and end among many edges (days, price
-- changes), so that a month day by day costs one look at each interval and not one per day: app, product, meter,
-- component, measured, first and last (indexes of the spans between edges), since (the first coarse span in which
-- these resources count), level (sum), begun and ended (sums of level x microseconds after ``first``; of a measured
-- quantity 0 and the quantity), resources, new (those that no earlier stretch of the same kind had).
-- Parameters: account, first, last (moments), edges (array of microseconds after first, ascending, both ends in it),
--   coarse (array: some of edges, both ends in it), cutoff. Reads usage_ownership, usage_interval, usage_event,
--   usage_amendment. Locks nothing. Repeatable: the same cut-off finds the same rows.
-- What counts is what account_usage.sql counts; a test holds the two against each other.
with owned as materialized (
    select resource, app, start, coalesce("end", 'infinity') as "end"
    from usage_ownership
    where account = %(account)b and resource <> ''
      and recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
      and start < %(last)b and ("end" is null or "end" > %(first)b)
), held as (
    select o.resource, coalesce(nullif(i.app, ''), o.app) as app, i.product, i.meter, i.component, i.level,
           greatest(i.opened, o.start, %(first)b) - %(first)b as "from",
           least(i.closed, o."end", %(last)b) - %(first)b as "until"
    from owned o
    join usage_interval i using (resource)
    where i.recorded_at <= %(cutoff)b and (i.superseded_at is null or i.superseded_at > %(cutoff)b)
      and i.opened < least(o."end", %(last)b)
      and (i.closed is null or i.closed > greatest(o.start, %(first)b))
), ran as (
    select resource, app, product, meter, component, false as measured, level,
           (extract(epoch from "from") * 1000000)::bigint as "from",
           (extract(epoch from "until") * 1000000)::bigint as "until"
    from held
), counted as (
    select o.resource, coalesce(nullif(e.app, ''), o.app) as app, e.product, e.meter, e.component, e.quantity,
           (extract(epoch from e.time - %(first)b) * 1000000)::bigint as at
    from owned o
    join usage_event e on e.resource = o.resource and e.type = 'measured'
        and e.time >= greatest(o.start, %(first)b) and e.time < least(o."end", %(last)b)
    where {effective}
), used as (
    select resource, app, product, meter, component, measured, "from", level, level * "from" as begun,
           level * "until" as ended,
           width_bucket("from", %(edges)b::bigint[]) - 1 as first,
           width_bucket("until" - 1, %(edges)b::bigint[]) - 1 as last,
           width_bucket("from", %(coarse)b::bigint[]) - 1 as first_coarse,
           width_bucket("until" - 1, %(coarse)b::bigint[]) - 1 as last_coarse
    from ran
    union all
    select resource, app, product, meter, component, true, min(at), 0, 0, sum(quantity),
           span, span, coarse, coarse
    from counted
    cross join lateral (
        select width_bucket(at, %(edges)b::bigint[]) - 1 as span, width_bucket(at, %(coarse)b::bigint[]) - 1 as coarse
    ) placed
    group by resource, app, product, meter, component, span, coarse
), known as (
    select *, greatest(first_coarse, lag(last_coarse) over of_one + 1) as since, row_number() over of_one = 1 as is_new
    from used
    window of_one as (partition by resource, app, product, meter, component, measured order by "from")
)
select app, product, meter, component, measured, first, last, since, trim_scale(sum(level)), trim_scale(sum(begun)),
       trim_scale(sum(ended)), count(*)::int, (count(*) filter (where is_new))::int
from known
group by app, product, meter, component, measured, first, last, since
order by measured
