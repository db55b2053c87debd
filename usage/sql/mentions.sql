-- Return what events say about the owners of some resources: resource, time, account, app; the first that names an
-- account, and the first that names an app.
-- Parameters: resources (array). Reads usage_event by resource and time, usage_amendment. Locks nothing. Repeatable.
-- An amendment corrects usage: what it says of an owner counts while it stands, but the word of a source about an
-- owner stays, whatever became of the usage. An owner is corrected by stating the ownership.
select r.resource, m.time, m.account, m.app
from unnest(%(resources)b::text[]) as r (resource)
cross join lateral (
    (select e.time, e.account, e.app from usage_event e
     where e.resource = r.resource and e.account <> ''
       and (e.amendment_id is null or exists (
           select from usage_amendment a
           where a.resource = e.resource and a.id = e.amendment_id and a.reverted_at is null))
     order by e.time, e.account, e.app limit 1)
    union all
    (select e.time, e.account, e.app from usage_event e
     where e.resource = r.resource and e.app <> ''
       and (e.amendment_id is null or exists (
           select from usage_amendment a
           where a.resource = e.resource and a.id = e.amendment_id and a.reverted_at is null))
     order by e.time, e.account, e.app limit 1)
) m
