-- Return the opens, closes and levels of some strands (resource, meter) that count now, each strand from a moment on, and
-- at least ``most`` events of it if there are: n (which of the strands asked about, from 1), until (up to where; null:
-- there are no more), resource, meter, product, time, type, source_id, event_id, id, component, app, quantity, account.
-- A strand without any has one row with nulls. Instants are whole.
-- Parameters: resource, meter, since, most (arrays of one length), cutoff (for ever ahead). Reads usage_event by
-- resource and time, usage_amendment. Locks nothing. Repeatable.
with bounded as materialized (  -- else the bound would be looked for once per event
    select a.*, (
        select b.time from usage_event b
        where b.resource = a.resource and b.meter = a.meter and b.type <> 'measured' and b.time > (
            select l.time from usage_event l
            where l.resource = a.resource and l.meter = a.meter and l.type <> 'measured' and l.time >= a.since
            order by l.time offset a.most - 1 limit 1)
        order by b.time limit 1) as until
    from unnest(%(resource)b::text[], %(meter)b::text[], %(since)b::timestamptz[], %(most)b::bigint[])
        with ordinality as a (resource, meter, since, most, n)
)
select b.n, b.until, e.resource, e.meter, e.product, e.time, e.type, e.source_id, e.event_id, e.id, e.component, e.app,
       e.quantity, e.account
from bounded b
left join usage_event e
    on e.resource = b.resource and e.meter = b.meter and e.type <> 'measured' and e.time >= b.since
   and e.time < coalesce(b.until, 'infinity')
   and {effective}
