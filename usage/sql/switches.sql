-- Return every open and close of some resources that counts, as known at a cut-off.
-- Parameters: resources (array), cutoff. Reads usage_event by resource, usage_amendment. Locks nothing. Repeatable.
select e.resource, e.meter, e.product, e.time, e.type, e.source_id, e.event_id, e.id, e.component, e.app
from usage_event e
where e.resource = any(%(resources)b::text[]) and e.type in ('open', 'close')
  and {effective}
