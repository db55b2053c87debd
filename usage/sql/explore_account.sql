-- One page of the events of what an account owned at their time, in one direction of (time, id).
-- Parameters: account, first, last (the stretch), at_time, at_id (the place that the page goes on from), size, and those
-- of the conditions. In braces: {beyond} and {order} are "<" and "desc", or ">" and "asc"; {conditions} compare columns
-- of e (the event) and o (the ownership). Reads usage_ownership by account, usage_event by resource and time: a page
-- at most of each resource. Locks nothing. Repeatable.
select found.*
from usage_ownership o
cross join lateral (
    select e.id, e.source_id, e.event_id, e.type, e.time, e.resource, e.product, e.meter, e.component, e.app, e.account,
           e.quantity, e.received_at, e.amendment_id
    from usage_event e
    where e.resource = o.resource and e.time >= %(first)b and e.time < %(last)b
      and e.time >= o.start and (o."end" is null or e.time < o."end")
      and (e.time, e.id) {beyond} (%(at_time)b, %(at_id)b){conditions}
    order by e.time {order}, e.id {order}
    limit %(size)b
) found
where o.account = %(account)b and o.superseded_at is null and o.resource <> ''
  and o.start < %(last)b and (o."end" is null or o."end" > %(first)b)
order by found.time {order}, found.id {order}
limit %(size)b
