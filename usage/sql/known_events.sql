-- Return the hashes of events that a source sent before.
-- Parameters: source, event_id (array). Reads usage_eventkey by its key. Locks nothing. Repeatable.
select event_id, body_hash from usage_eventkey where source_id = %(source)b and event_id = any(%(event_id)b::text[])
