-- Return the earliest measured event that names an account, of some resources, each at or after a moment: resource,
-- time, account, app. Parameters: resources, since (arrays). Reads usage_event by resource and time. Locks nothing.
-- Repeatable.
select r.resource, e.time, e.account, e.app
from unnest(%(resources)b::text[], %(since)b::timestamptz[]) as r (resource, since)
cross join lateral (
    select time, account, app from usage_event
    where resource = r.resource and type = 'measured' and account <> '' and time >= r.since
    order by time, source_id, event_id
    limit 1
) e
