-- R-14 What was counted of an hour is still there: its totals are those of its events.
-- database: usage
-- Of archived months the totals are compared with what went into the file (archives_hold_what_was_counted).
with counted as (
    select source_id, hour, meter, opens, closes, measured, quantity from usage_hourtotal
    union all
    select source_id, date_trunc('hour', time, 'UTC'), meter, -(count(*) filter (where type = 'open')),
           -(count(*) filter (where type = 'close')), -(count(*) filter (where type in ('measured', 'gauge'))),
           -coalesce(sum(quantity), 0)
    from usage_event
    where received_at < (select until from usage_hourfold)
    group by 1, 2, 3
)
select source_id, hour, meter, sum(opens) as opens, sum(closes) as closes, sum(measured) as measured,
       sum(quantity) as quantity
from counted
where to_char(hour at time zone 'UTC', 'YYYY-MM')
      not in (select to_char(month, 'YYYY-MM') from usage_montharchive where state = 'archived')
group by source_id, hour, meter
having sum(opens) <> 0 or sum(closes) <> 0 or sum(measured) <> 0 or sum(quantity) <> 0
