-- Return the events that pairing has not looked at yet, oldest first: event_id, resource.
-- Parameters: most. Reads usage_unpaired. Locks nothing (the caller holds the history). Repeatable.
select event_id, resource from usage_unpaired order by event_id limit %(most)b
