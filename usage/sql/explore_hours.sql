-- Hours in which events happened, in one direction of time, with how many: hour, events (of every source).
-- Parameters: first, last (whole hours), source (its row; null: any), size. In braces: {order} is "desc" or "asc".
-- Reads usage_hourtotal by hour, no further than needed. Locks nothing. Repeatable. What is not folded yet is missing:
-- explore_unfolded.sql tells it.
select hour, sum(opens + closes + measured)::bigint
from usage_hourtotal
where hour >= %(first)b and hour < %(last)b
group by hour
having %(source)b::bigint is null or bool_or(source_id = %(source)b::bigint)
order by hour {order}
limit %(size)b
