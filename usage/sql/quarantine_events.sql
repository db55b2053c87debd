-- Keep refused events for a person to decide; one that is there already is kept once.
-- Parameters: source, received_at, and arrays sorted by body_hash so that no two batches deadlock.
-- Writes usage_quarantinedevent. Locks the new rows. Repeatable: yes, by source, body and code.
insert into usage_quarantinedevent (source_id, event_id, body, body_hash, code, field, detail, received_at,
                                    state, decided_by, decision_reason)
select %(source)b, event_id, body, body_hash, code, field, detail, %(received_at)b, 'waiting', '', ''
from unnest(
    %(event_id)b::text[], %(body)b::text[], %(body_hash)b::text[], %(code)b::text[], %(field)b::text[],
    %(detail)b::text[]
) as r (event_id, body, body_hash, code, field, detail)
on conflict (source_id, body_hash, code) do nothing
