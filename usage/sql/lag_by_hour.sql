-- Per hour of receipt, what one source said: events, seconds after their time by which half of them had arrived,
-- heartbeats, manifests. Every hour has its row.
-- Parameters: source, since, until. Reads usage_event by receipt, usage_heartbeathour, usage_manifest. Locks nothing.
-- Repeatable.
with received as (
    select date_trunc('hour', received_at, 'UTC') as hour, count(*)::int as events,
           percentile_cont(0.5) within group (order by extract(epoch from received_at - time)) as lag
    from usage_event
    where received_at >= date_trunc('hour', %(since)b::timestamptz, 'UTC') and source_id = %(source)b
    group by 1
), stated as (
    select date_trunc('hour', received_at, 'UTC') as hour, count(*)::int as manifests
    from usage_manifest
    where source_id = %(source)b and received_at >= date_trunc('hour', %(since)b::timestamptz, 'UTC')
    group by 1
)
select h.hour, coalesce(r.events, 0), coalesce(round(r.lag)::bigint, 0), coalesce(b.beats, 0), coalesce(s.manifests, 0)
from generate_series(
    date_trunc('hour', %(since)b::timestamptz, 'UTC'), date_trunc('hour', %(until)b::timestamptz, 'UTC'),
    interval '1 hour'
) as h (hour)
left join received r using (hour)
left join stated s using (hour)
left join usage_heartbeathour b on b.source_id = %(source)b and b.hour = h.hour
order by h.hour
