-- The accounts that own something used in a span, as known at a cut-off.
-- Parameters: first, last, cutoff. Reads usage_ownership, usage_interval, usage_event, usage_amendment.
-- Locks nothing. Repeatable.
select distinct o.account
from usage_ownership o
where o.resource <> '' and o.recorded_at <= %(cutoff)b and (o.superseded_at is null or o.superseded_at > %(cutoff)b)
  and o.start < %(last)b and (o."end" is null or o."end" > %(first)b)
  and (exists (select from usage_interval i
               where i.resource = o.resource and i.recorded_at <= %(cutoff)b
                 and (i.superseded_at is null or i.superseded_at > %(cutoff)b)
                 and i.opened < %(last)b and (i.closed is null or i.closed > %(first)b))
       or exists (select from usage_event e
                  where e.resource = o.resource and e.type = 'measured' and e.time >= %(first)b and e.time < %(last)b
                    and {effective}))
order by o.account
