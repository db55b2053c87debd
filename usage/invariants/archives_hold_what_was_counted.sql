-- R-14 An archived month holds what was counted of it: its events and quantities by meter are those of its hours.
-- database: usage
with sides as (
    select a.month, t.key as meter, (t.value ->> 'events')::numeric as events, (t.value ->> 'quantity')::numeric as quantity
    from usage_montharchive a cross join lateral jsonb_each(a.sums) as t
    where a.state = 'archived' and (a.month + interval '1 month') at time zone 'UTC' <= (select until from usage_hourfold)
    union all
    select a.month, h.meter, -(h.opens + h.closes + h.measured), -h.quantity
    from usage_montharchive a
    join usage_hourtotal h on h.hour >= a.month::timestamp at time zone 'UTC'
        and h.hour < (a.month + interval '1 month') at time zone 'UTC'
    where a.state = 'archived'
)
select month, meter, sum(events) as events, sum(quantity) as quantity
from sides group by month, meter having sum(events) <> 0 or sum(quantity) <> 0
