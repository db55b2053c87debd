-- Record new ownerships. Parameters: now, by, and one array per column. Writes usage_ownership. Locks the new rows.
-- Refused by the database when one overlaps what is believed. Not repeatable; the caller compares first.
insert into usage_ownership (reference, resource, account, app, start, "end", recorded_at, recorded_by)
select reference, resource, account, app, start, "end", %(now)b, %(by)b
from unnest(
    %(reference)b::text[], %(resource)b::text[], %(account)b::text[], %(app)b::text[], %(start)b::timestamptz[],
    %(end)b::timestamptz[]
) as o (reference, resource, account, app, start, "end")
