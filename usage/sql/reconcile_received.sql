-- What was received per source, hour (by event time) and meter: source_id, hour, meter, opens, closes, measured,
-- quantity, hash (sum of the ids' hashes, below 2^64). The folded totals and what came since.
-- Parameters: first, last (the span, whole hours), sources (array of rows). Reads usage_hourtotal, usage_hourfold,
-- usage_event by receipt. Locks nothing. Repeatable.
with counted as (
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
)
select source_id, hour, meter, sum(opens)::bigint, sum(closes)::bigint, sum(measured)::bigint,
       trim_scale(sum(quantity)), mod(mod(sum(hash), 18446744073709551616) + 18446744073709551616, 18446744073709551616)
from counted
group by source_id, hour, meter
order by source_id, hour, meter
