-- Return what is believed of stretches of some strands (resource, meter): id, open_event_id, close_event_id of every
-- interval that ends in one; what still runs ends in a stretch that has no end.
-- Parameters: resource, meter, opened (of what runs when the stretch begins, else its beginning), since, until (null:
-- no end; arrays of one length). Reads usage_interval by strand. Locks nothing. Repeatable.
select i.id, i.open_event_id, i.close_event_id
from unnest(
    %(resource)b::text[], %(meter)b::text[], %(opened)b::timestamptz[], %(since)b::timestamptz[],
    %(until)b::timestamptz[]
) as s (resource, meter, opened, since, until)
join usage_interval i
    on i.resource = s.resource and i.meter = s.meter and i.superseded_at is null and i.opened >= s.opened
   and i.opened < coalesce(s.until, 'infinity')
where (i.closed >= s.since or i.closed is null) and (s.until is null or i.closed < s.until)
