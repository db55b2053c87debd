-- Return the pairing problems in stretches of some strands (resource, meter): event_id, kind.
-- Parameters: resource, meter, since, until (null: no end; arrays of one length). Reads usage_pairingproblem by
-- resource and time. Locks nothing. Repeatable.
select p.event_id, p.kind
from unnest(%(resource)b::text[], %(meter)b::text[], %(since)b::timestamptz[], %(until)b::timestamptz[])
    as s (resource, meter, since, until)
join usage_pairingproblem p
    on p.resource = s.resource and p.meter = s.meter and p.at >= s.since and p.at < coalesce(s.until, 'infinity')
