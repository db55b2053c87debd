-- One page of the events of a stretch of time, in one direction of (time, id).
-- Parameters: first, last (the stretch), at_time, at_id (the place that the page goes on from), size, and those of the
-- conditions. In braces: {beyond} and {order} are "<" and "desc", or ">" and "asc"; {conditions} compare columns of e.
-- Reads usage_event by time (block ranges). Locks nothing. Repeatable.
select e.id, e.source_id, e.event_id, e.type, e.time, e.resource, e.product, e.meter, e.component, e.app, e.account,
       e.quantity, e.received_at, e.amendment_id
from usage_event e
where e.time >= %(first)b and e.time < %(last)b and (e.time, e.id) {beyond} (%(at_time)b, %(at_id)b){conditions}
order by e.time {order}, e.id {order}
limit %(size)b
