-- Opens and closes that overlap another product in a span: resource, product, kind, at, accounts that ever owned it.
-- Parameters: first, last. Reads usage_pairingproblem, usage_ownership. Locks nothing. Repeatable.
-- An overlap that began before the span and has not been explained counts too: it may reach into the span. A close
-- tells when its overlap ended; it counts unless the open it belongs to is parked as well and lies after the span.
select p.resource, p.product, p.kind, p.at,
       coalesce((select array_agg(distinct o.account) from usage_ownership o
                 where o.resource = p.resource and o.superseded_at is null), '{}')
from usage_pairingproblem p
join usage_event e on e.resource = p.resource and e.time = p.at and e.id = p.event_id
where p.kind = 'overlap'
  and case e.type when 'open' then p.at < %(last)b
           else p.at > %(first)b and coalesce(
               (select max(o.at) from usage_pairingproblem o
                join usage_event opened on opened.resource = o.resource and opened.time = o.at and opened.id = o.event_id
                where o.kind = 'overlap' and opened.type = 'open'
                  and o.resource = p.resource and o.product = p.product and o.at <= p.at), %(first)b) < %(last)b end
order by p.at, p.resource
