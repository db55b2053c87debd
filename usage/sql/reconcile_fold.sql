-- Add the events received in [since, until) to the hourly totals. Parameters: since, until. Reads usage_event by
-- receipt; writes usage_hourtotal. Locks the totals it adds to. Not repeatable; the caller holds the fold's one row
-- and moves it to ``until`` in the same transaction, so that every event is added once.
insert into usage_hourtotal as t (source_id, hour, meter, opens, closes, measured, quantity, hash)
select source_id, date_trunc('hour', time, 'UTC') as hour, meter,
       count(*) filter (where type = 'open'), count(*) filter (where type = 'close'),
       count(*) filter (where type in ('measured', 'gauge')), coalesce(sum(quantity), 0),
       mod(mod(sum(('x' || left(encode(sha256(convert_to(event_id, 'UTF8')), 'hex'), 16))::bit(64)::bigint),
               18446744073709551616) + 18446744073709551616, 18446744073709551616)
from usage_event
where received_at >= %(since)b and received_at < %(until)b
group by source_id, hour, meter
on conflict (hour, source_id, meter) do update
set opens = t.opens + excluded.opens, closes = t.closes + excluded.closes, measured = t.measured + excluded.measured,
    quantity = t.quantity + excluded.quantity, hash = mod(t.hash + excluded.hash, 18446744073709551616)
