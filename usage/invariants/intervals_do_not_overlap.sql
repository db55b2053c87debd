-- R-11 No two believed intervals of one resource and meter overlap.
-- database: usage
select resource, meter, opened, closed, opened_next
from (
    select resource, meter, opened, closed,
           lead(opened) over (partition by resource, meter order by opened) as opened_next
    from usage_interval where superseded_at is null
) i
where opened_next < coalesce(closed, 'infinity')
