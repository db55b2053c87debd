-- Return the first event that names an account, of some resources, each at or after a moment: resource, time, account,
-- app. Parameters: resources, since (arrays). Reads usage_event by resource and time, usage_amendment. Locks nothing.
-- Repeatable.
select r.resource, m.time, m.account, m.app
from unnest(%(resources)b::text[], %(since)b::timestamptz[]) as r (resource, since)
cross join lateral (
    select e.time, e.account, e.app from usage_event e
    where e.resource = r.resource and e.account <> '' and e.time >= r.since
      and (e.amendment_id is null or exists (
          select from usage_amendment a
          where a.resource = e.resource and a.id = e.amendment_id and a.reverted_at is null))
    order by e.time, e.account, e.app
    limit 1
) m
