-- What a run comes to in each currency, beside the month before. Parameters: run, before (a first day).
-- Reads billing_invoice. Locks: none. Repeatable: a read.
with bills as (
    select currency, total, true as this
    from billing_invoice where run_id = %(run)s
    union all
    select currency, total, false
    from billing_invoice
    where period_start = %(before)s and kind = 'periodic' and not shadow and status not in ('draft', 'void')
)
select currency,
       count(*) filter (where this), coalesce(sum(total) filter (where this), 0),
       count(*) filter (where not this), coalesce(sum(total) filter (where not this), 0)
from bills
group by currency
order by currency
