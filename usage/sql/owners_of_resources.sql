-- The accounts that own, or owned, some resources at any time, as known at either of two moments.
-- Parameters: resources (array), before, after. Reads usage_ownership by resource. Locks nothing. Repeatable.
select distinct account
from usage_ownership
where resource = any(%(resources)b::text[])
  and (recorded_at <= %(before)b and (superseded_at is null or superseded_at > %(before)b)
       or recorded_at <= %(after)b and (superseded_at is null or superseded_at > %(after)b))
order by account
