-- Return every open and close of some resources.
-- Parameters: resources (array). Reads usage_event by resource. Locks nothing. Repeatable.
select resource, meter, product, time, type, source_id, event_id, id, component, app
from usage_event
where resource = any(%(resources)b::text[]) and type in ('open', 'close')
