-- Record new intervals. Parameters: now, and one array per column. Writes usage_interval. Locks the new rows.
-- Refused by the database when one overlaps what is believed. Not repeatable; the caller compares first.
insert into usage_interval (resource, meter, product, component, app, level, gauged, opened, closed, open_event_id,
                            close_event_id, recorded_at)
select resource, meter, product, component, app, level, gauged, opened, closed, open_event, close_event, %(now)b
from unnest(
    %(resource)b::text[], %(meter)b::text[], %(product)b::text[], %(component)b::text[], %(app)b::text[],
    %(level)b::numeric[], %(gauged)b::boolean[], %(opened)b::timestamptz[], %(closed)b::timestamptz[],
    %(open_event)b::bigint[], %(close_event)b::bigint[]
) as i (resource, meter, product, component, app, level, gauged, opened, closed, open_event, close_event)
