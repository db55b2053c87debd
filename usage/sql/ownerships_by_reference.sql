-- Return the first word and what is believed now of one reference: resource, account, app, start, end, recorded_at.
-- Parameters: reference. Reads usage_ownership. Locks nothing. Repeatable.
select resource, account, app, start, "end", recorded_at, superseded_at is null
from usage_ownership
where reference = %(reference)b and not reference like 'open:%%'  -- as its index says
order by recorded_at, id
