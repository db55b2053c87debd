-- The time in which some amendments, or taking them back, changed what was used or who owned it: lower, upper (null: it
-- goes on). One row per connected stretch.
-- Parameters: resources, amendments (arrays), before, after (moments as of which the store is compared).
-- Reads usage_interval, usage_ownership, usage_event, usage_amendment by resource. Locks nothing. Repeatable.
with intervals as (
    select resource, meter, product, component, app, level, tstzrange(opened, closed) as during,
           recorded_at <= %(before)b and (superseded_at is null or superseded_at > %(before)b) as was,
           recorded_at <= %(after)b and (superseded_at is null or superseded_at > %(after)b) as became
    from usage_interval where resource = any(%(resources)b::text[])
), owners as (
    select resource, account, tstzrange(start, "end") as during,
           recorded_at <= %(before)b and (superseded_at is null or superseded_at > %(before)b) as was,
           recorded_at <= %(after)b and (superseded_at is null or superseded_at > %(after)b) as became
    from usage_ownership where resource = any(%(resources)b::text[])
), compared as (
    select coalesce(range_agg(during) filter (where was), '{}') as was,
           coalesce(range_agg(during) filter (where became), '{}') as became
    from intervals group by resource, meter, product, component, app, level
    union all
    select coalesce(range_agg(during) filter (where was), '{}'),
           coalesce(range_agg(during) filter (where became), '{}')
    from owners group by resource, account
), changed as (
    select unnest((was - became) + (became - was)) as span from compared
    union all
    select tstzrange(e.time, e.time + interval '1 microsecond')
    from usage_amendment a
    join usage_event e on e.resource = a.resource and e.time >= a.start and e.time < a."end"
        and a.meter in ('', e.meter)
    where a.id = any(%(amendments)b::bigint[]) and e.type = 'measured'
)
select lower(span), upper(span) from (select unnest(range_agg(span)) as span from changed) stretches order by 1
