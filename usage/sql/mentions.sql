-- Return what events say about the owners of some resources: resource, time, account, app. Every open that names an
-- account or an app, and the earliest measured event that names an account.
-- Parameters: resources (array). Reads usage_event by resource and time. Locks nothing. Repeatable.
select resource, time, account, app
from usage_event
where resource = any(%(resources)b::text[]) and type = 'open' and (account <> '' or app <> '')
union all
select r.resource, e.time, e.account, e.app
from unnest(%(resources)b::text[]) as r (resource)
cross join lateral (
    select time, account, app from usage_event
    where resource = r.resource and type = 'measured' and account <> ''
    order by time, source_id, event_id
    limit 1
) e
