-- Sum up a rehearsal: accounts, what they paid and would have paid over all its months, how many pay more or less, how
-- many at least a fifth more, and five counts by change: at least a fifth less, less, none, more, at least a fifth more.
-- Parameters: rehearsal (row). Reads billing_rehearsedbill. Locks: none. Repeatable.
with bills as (
    select account_id, sum(before) as before, sum(after) as after
    from billing_rehearsedbill where rehearsal_id = %(rehearsal)s group by account_id
), changes as (
    select before, after,
           case when before = after then 0 when before <= 0 then 1 else (after - before) / before end as change
    from bills
)
select count(*)::int, coalesce(sum(before), 0), coalesce(sum(after), 0),
       (count(*) filter (where after > before))::int, (count(*) filter (where after < before))::int,
       (count(*) filter (where change >= 0.2))::int,
       (count(*) filter (where change <= -0.2))::int, (count(*) filter (where change > -0.2 and change < 0))::int,
       (count(*) filter (where change = 0))::int, (count(*) filter (where change > 0 and change < 0.2))::int,
       (count(*) filter (where change >= 0.2))::int
from changes
