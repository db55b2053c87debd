-- Record new pairing problems. Parameters: now, and one array per column. Writes usage_pairingproblem.
-- Locks the new rows. Repeatable: an event has one problem; a new kind replaces the old one and keeps its age.
insert into usage_pairingproblem (event_id, resource, meter, product, type, kind, at, seen_at)
select event_id, resource, meter, product, type, kind, at, %(now)b
from unnest(
    %(event_id)b::bigint[], %(resource)b::text[], %(meter)b::text[], %(product)b::text[], %(type)b::text[],
    %(kind)b::text[], %(at)b::timestamptz[]
) as p (event_id, resource, meter, product, type, kind, at)
on conflict (event_id) do update set kind = excluded.kind
