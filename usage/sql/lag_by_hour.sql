-- Per hour: how many events one source sent, and how long after their time half of them had arrived (seconds).
-- Parameters: source, since, until. Reads usage_event by receipt. Locks nothing. Repeatable. Every hour has its row.
select h.hour, count(e.id)::int,
       coalesce(round(percentile_cont(0.5) within group (order by extract(epoch from e.received_at - e.time)))::bigint, 0)
from generate_series(
    date_trunc('hour', %(since)b::timestamptz), date_trunc('hour', %(until)b::timestamptz), interval '1 hour'
) as h (hour)
left join usage_event e
    on e.source_id = %(source)b and e.received_at >= h.hour and e.received_at < h.hour + interval '1 hour'
   and e.received_at >= date_trunc('hour', %(since)b::timestamptz)
group by h.hour order by h.hour
