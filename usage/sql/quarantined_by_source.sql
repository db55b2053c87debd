-- What waits in quarantine: source_id, events, when the oldest was received.
-- Parameters: none. Reads usage_quarantinedevent by state. Locks nothing. Repeatable.
select source_id, count(*)::int, min(received_at) from usage_quarantinedevent where state = 'waiting' group by source_id
