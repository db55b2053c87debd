-- Return every open and close of some resources, and the events that name their account or app.
-- Parameters: resources (array). Reads usage_event by resource. Locks nothing. Repeatable.
select resource, meter, product, time, type, source_id, event_id, id, component, app, account
from usage_event
where resource = any(%(resources)b::text[]) and type in ('open', 'close')
