-- Note that a source is alive, and count it in the hour: the moment.
-- Parameters: source. Writes usage_source, usage_heartbeathour. Locks both rows. Repeatable: the count grows.
with beaten as (
    update usage_source set last_heartbeat_at = clock_timestamp() where id = %(source)b returning id, last_heartbeat_at
), counted as (
    insert into usage_heartbeathour as h (source_id, hour, beats)
    select id, date_trunc('hour', last_heartbeat_at, 'UTC'), 1 from beaten
    on conflict (source_id, hour) do update set beats = h.beats + 1
)
select last_heartbeat_at from beaten
