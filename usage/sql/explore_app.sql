-- One page of the events of an app's resources, in one direction of (time, id): those that name the app or none.
-- Parameters: app, first, last (the stretch), at_time, at_id (the place that the page goes on from), size, and those of
-- the conditions. In braces: {beyond} and {order} are "<" and "desc", or ">" and "asc"; {conditions} compare columns of
-- e. Reads usage_interval and usage_ownership by app, usage_event by resource and time: a page at most of each
-- resource. Locks nothing. Repeatable.
select found.*
from (
    select resource from usage_interval where app = %(app)b
    union
    select resource from usage_ownership where app = %(app)b and resource <> ''
) r
cross join lateral (
    select e.id, e.source_id, e.event_id, e.type, e.time, e.resource, e.product, e.meter, e.component, e.app, e.account,
           e.quantity, e.received_at, e.amendment_id
    from usage_event e
    where e.resource = r.resource and e.app in ('', %(app)b) and e.time >= %(first)b and e.time < %(last)b
      and (e.time, e.id) {beyond} (%(at_time)b, %(at_id)b){conditions}
    order by e.time {order}, e.id {order}
    limit %(size)b
) found
order by found.time {order}, found.id {order}
limit %(size)b
