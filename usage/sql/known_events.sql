-- Return the hashes of events that a source sent before.
-- Parameters: source, event_id (array). Reads usage_event by its unique key. Locks nothing. Repeatable.
select event_id, body_hash from usage_event where source_id = %(source)b and event_id = any(%(event_id)b::text[])
