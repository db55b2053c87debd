-- Return the resources among those that events named an account or an app of, whose owners that may change: where
-- nobody owned at the time of an account, or of an app that is owned as a whole, or where nothing named an app before.
-- Parameters: resource, time, account, app (arrays of one length). Reads usage_ownership and usage_event by resource
-- and time. Locks nothing. Repeatable.
select distinct n.resource
from unnest(%(resource)b::text[], %(time)b::timestamptz[], %(account)b::text[], %(app)b::text[])
    as n (resource, time, account, app)
where (n.account <> '' or n.app <> '' and exists (
        select from usage_ownership a where a.resource = '' and a.app = n.app and a.superseded_at is null)
    ) and not exists (
        select from usage_ownership o
        where o.resource = n.resource and o.superseded_at is null and o.start < n.time
          and (o."end" is null or o."end" > n.time))
   or n.app <> '' and not exists (
        select from usage_event e
        where e.resource = n.resource and e.time < n.time and e.app <> '' and e.amendment_id is null)
