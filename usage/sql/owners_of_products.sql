-- The accounts that own something that used some products in a span, as known at a cut-off.
-- Parameters: products (array), first, last (the span), cutoff. Reads usage_ownership, usage_interval, usage_event,
--   usage_amendment. Locks nothing. Repeatable: the same cut-off finds the same rows.
with used as (
    select resource from usage_interval
    where product = any(%(products)b::text[])
      and recorded_at <= %(cutoff)b and (superseded_at is null or superseded_at > %(cutoff)b)
      and opened < %(last)b and (closed is null or closed > %(first)b)
    union
    select e.resource from usage_event e
    where e.type = 'measured' and e.product = any(%(products)b::text[])
      and e.time >= %(first)b and e.time < %(last)b
      and {effective}
)
select distinct o.account
from used
join usage_ownership o using (resource)
where o.recorded_at <= %(cutoff)b and (o.superseded_at is null or o.superseded_at > %(cutoff)b)
  and o.start < %(last)b and (o."end" is null or o."end" > %(first)b)
order by o.account
