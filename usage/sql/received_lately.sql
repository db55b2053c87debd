-- How many events each source sent since a moment: source_id, events.
-- Parameters: since. Reads usage_event by receipt. Locks nothing. Repeatable.
select source_id, count(*)::int from usage_event where received_at >= %(since)b group by source_id
