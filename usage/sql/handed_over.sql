-- Count the resources that a transfer handed to an account: those whose new ownership was recorded with it.
-- Parameters: reference, account. Reads usage_ownership. Locks nothing. Repeatable.
select count(distinct o.resource)::int
from usage_ownership o
where o.account = %(account)b and o.resource <> ''
  and o.recorded_at = (select min(recorded_at) from usage_ownership 
                       where reference = %(reference)b and not reference like 'open:%%')
