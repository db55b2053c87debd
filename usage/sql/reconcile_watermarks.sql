-- Up to where each source's manifests agree without a gap: source_id, moment. Sources without a manifest are left out.
-- Parameters: first, last (whole hours), sources (array of rows). Reads usage_manifest, usage_manifestsum,
-- usage_hourtotal, usage_hourfold, usage_event by receipt. Locks nothing. Repeatable.
-- Contiguity begins with a source's first manifest, or with ``first`` when it sent manifests before that.
with stated as (
    select id, source_id, hour, hash from usage_manifest
    where superseded_at is null and hour >= %(first)b and hour < %(last)b and source_id = any(%(sources)b::bigint[])
), received as (
    select source_id, hour, meter, opens, closes, measured, quantity, hash
    from usage_hourtotal
    where hour >= %(first)b and hour < %(last)b and source_id = any(%(sources)b::bigint[])
    union all
    select source_id, date_trunc('hour', time, 'UTC'), meter,
           (type = 'open')::int, (type = 'close')::int, (type in ('measured', 'gauge'))::int, coalesce(quantity, 0),
           ('x' || left(encode(sha256(convert_to(event_id, 'UTF8')), 'hex'), 16))::bit(64)::bigint
    from usage_event
    where received_at >= coalesce((select until from usage_hourfold), '-infinity')
      and time >= %(first)b and time < %(last)b and source_id = any(%(sources)b::bigint[])
), sides as (
    select source_id, hour, '' as meter, 0::numeric as opens, 0::numeric as closes, 0::numeric as measured,
           0::numeric as quantity, ('x' || hash)::bit(64)::bigint::numeric as hash
    from stated
    union all
    select m.source_id, m.hour, s.meter, s.opens, s.closes, s.measured, s.quantity, 0
    from stated m join usage_manifestsum s on s.manifest_id = m.id
    union all
    select source_id, hour, meter, -opens, -closes, -measured, -quantity, -hash from received
), left_over as (
    select source_id, hour, sum(opens) as opens, sum(closes) as closes, sum(measured) as measured,
           sum(quantity) as quantity, sum(hash) as hash
    from sides group by source_id, hour, meter
), differing as (
    select source_id, hour
    from left_over
    group by source_id, hour
    having bool_or(opens <> 0 or closes <> 0 or measured <> 0 or quantity <> 0)
        or mod(sum(hash), 18446744073709551616) <> 0
), begun as (
    select source_id, case when min(hour) < %(first)b then %(first)b else min(hour) end as hour
    from usage_manifest
    where superseded_at is null and hour < %(last)b and source_id = any(%(sources)b::bigint[])
    group by source_id
), agreeing as (
    select source_id, hour, row_number() over (partition by source_id order by hour) as place
    from stated m
    where not exists (select from differing d where d.source_id = m.source_id and d.hour = m.hour)
)
select b.source_id, b.hour + count(a.hour) * interval '1 hour'
from begun b
left join agreeing a on a.source_id = b.source_id and a.hour = b.hour + (a.place - 1) * interval '1 hour'
group by b.source_id, b.hour
