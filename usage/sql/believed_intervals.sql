-- Return what is believed of some resources: id, open_event_id, close_event_id.
-- Parameters: resources (array). Reads usage_interval by resource. Locks nothing. Repeatable.
select id, open_event_id, close_event_id from usage_interval
where resource = any(%(resources)b::text[]) and superseded_at is null
