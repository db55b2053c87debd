-- Return what is on just before a moment, as believed: n (which of the strands asked about, from 1), running, product,
-- opened, event_id, component, app, level, gauged. What runs, and what is set aside because it overlaps that.
-- Parameters: resource, meter, at (arrays of one length). Reads usage_interval and usage_pairingproblem by resource.
-- Locks nothing. Repeatable.
with asked as (
    select * from unnest(%(resource)b::text[], %(meter)b::text[], %(at)b::timestamptz[])
        with ordinality as a (resource, meter, at, n)
)
select a.n, true, i.product, i.opened, i.open_event_id, i.component, i.app, i.level, i.gauged
from asked a
cross join lateral (
    select * from usage_interval i
    where i.resource = a.resource and i.meter = a.meter and i.superseded_at is null and i.opened < a.at
    order by i.opened desc
    limit 1
) i
where i.closed is null or i.closed >= a.at
union all
select a.n, false, p.product, p.at, p.event_id, '', '', 1, false
from asked a
cross join lateral (
    select distinct on (p.product) p.product, p.type, p.at, p.event_id
    from usage_pairingproblem p
    where p.resource = a.resource and p.meter = a.meter and p.kind = 'overlap' and p.type <> 'gauge' and p.at < a.at
    order by p.product, p.at desc, p.type desc  -- of two at one instant the open came later
) p
where p.type = 'open'
