-- Return, for each of some resources, the earliest measured event that names an account: resource, time, account, app.
-- Parameters: resources (array). Reads usage_event by resource and time. Locks nothing. Repeatable.
select r.resource, e.time, e.account, e.app
from unnest(%(resources)b::text[]) as r (resource)
cross join lateral (
    select time, account, app from usage_event
    where resource = r.resource and type = 'measured' and account <> ''
    order by time, source_id, event_id
    limit 1
) e
