-- R-11 At every moment a resource has one believed owner at most, and so has an app as a whole.
-- database: usage
select resource, app, account, start, "end", start_next
from (
    select resource, app, account, start, "end",
           lead(start) over (partition by resource, case when resource = '' then app end order by start) as start_next
    from usage_ownership where superseded_at is null
) o
where start_next < coalesce("end", 'infinity')
