-- Per hour: how many events one source sent, and how long after their time half of them had arrived (seconds).
-- Parameters: source, since, until. Reads usage_event by receipt. Locks nothing. Repeatable. Every hour has its row.
with received as (
    select date_trunc('hour', received_at) as hour, count(*)::int as events,
           percentile_cont(0.5) within group (order by extract(epoch from received_at - time)) as lag
    from usage_event
    where received_at >= date_trunc('hour', %(since)b::timestamptz) and source_id = %(source)b
    group by 1
)
select h.hour, coalesce(r.events, 0), coalesce(round(r.lag)::bigint, 0)
from generate_series(
    date_trunc('hour', %(since)b::timestamptz), date_trunc('hour', %(until)b::timestamptz), interval '1 hour'
) as h (hour)
left join received r using (hour)
order by h.hour
