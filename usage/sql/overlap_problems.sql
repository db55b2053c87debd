-- What contradicts itself in a span, as known at a cut-off: opens, closes and levels that overlap another product, or
-- that switch what has a level: resource, product, kind, at, accounts that ever owned it.
-- Parameters: first, last (the span), cutoff. Reads usage_pairingproblem, usage_pastproblem, usage_ownership. Locks
--   nothing. Repeatable: the same cut-off finds the same rows.
-- An overlap that began before the span and has not been explained counts too: it may reach into the span. A close
-- tells when its overlap ended; it counts unless the open it belongs to is parked as well and lies after the span.
-- A level is said again and again, and is set aside alone: each counts where it lies, and so does what is mixed with one.
-- One that was another problem before has the age of that: what it was then is the past row's to say.
with known as (
    select event_id, resource, product, type, kind, at from usage_pastproblem
    where kind in ('overlap', 'mixed') and seen_at <= %(cutoff)b and gone_at > %(cutoff)b
    union all
    select p.event_id, p.resource, p.product, p.type, p.kind, p.at from usage_pairingproblem p
    where p.kind in ('overlap', 'mixed') and p.seen_at <= %(cutoff)b
      and not exists (select from usage_pastproblem before
                      where before.resource = p.resource and before.at = p.at and before.event_id = p.event_id
                        and before.seen_at <= %(cutoff)b and before.gone_at > %(cutoff)b)
)
select p.resource, p.product, p.kind, p.at,
       coalesce((select array_agg(distinct o.account) from usage_ownership o
                 where o.resource = p.resource and o.recorded_at <= %(cutoff)b
                   and (o.superseded_at is null or o.superseded_at > %(cutoff)b)), '{}')
from known p
where case when p.kind = 'mixed' or p.type = 'gauge' then p.at >= %(first)b and p.at < %(last)b
           when p.type = 'open' then p.at < %(last)b
           else p.at > %(first)b and coalesce(
               (select max(o.at) from known o
                where o.kind = 'overlap' and o.type = 'open' and o.resource = p.resource and o.product = p.product and o.at <= p.at),
               %(first)b) < %(last)b end
order by p.at, p.resource
