-- Opens and closes that overlap another product in a span, as known at a cut-off: resource, product, kind, at, accounts
-- that ever owned it.
-- Parameters: first, last (the span), cutoff. Reads usage_pairingproblem, usage_pastproblem, usage_ownership. Locks
--   nothing. Repeatable: the same cut-off finds the same rows.
-- An overlap that began before the span and has not been explained counts too: it may reach into the span. A close
-- tells when its overlap ended; it counts unless the open it belongs to is parked as well and lies after the span.
-- One that was another problem before has the age of that: what it was then is the past row's to say.
with known as (
    select event_id, resource, product, type, kind, at from usage_pastproblem
    where kind = 'overlap' and seen_at <= %(cutoff)b and gone_at > %(cutoff)b
    union all
    select p.event_id, p.resource, p.product, p.type, p.kind, p.at from usage_pairingproblem p
    where p.kind = 'overlap' and p.seen_at <= %(cutoff)b
      and not exists (select from usage_pastproblem before
                      where before.resource = p.resource and before.at = p.at and before.event_id = p.event_id
                        and before.seen_at <= %(cutoff)b and before.gone_at > %(cutoff)b)
)
select p.resource, p.product, p.kind, p.at,
       coalesce((select array_agg(distinct o.account) from usage_ownership o
                 where o.resource = p.resource and o.recorded_at <= %(cutoff)b
                   and (o.superseded_at is null or o.superseded_at > %(cutoff)b)), '{}')
from known p
where case p.type when 'open' then p.at < %(last)b
           else p.at > %(first)b and coalesce(
               (select max(o.at) from known o
                where o.type = 'open' and o.resource = p.resource and o.product = p.product and o.at <= p.at),
               %(first)b) < %(last)b end
order by p.at, p.resource
