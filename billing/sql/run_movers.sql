-- The accounts of a run whose bill moved most since the month before, largest first in each currency.
-- Parameters: run, before (a first day), limit (per currency). A held or failed account keeps its outcome.
-- Reads billing_invoice, billing_runaccount, accounts_account. Locks: none. Repeatable: a read.
with bills as (
    select account_id, currency,
           sum(total) filter (where this) as amount, sum(total) filter (where not this) as before
    from (
        select account_id, currency, total, true as this
        from billing_invoice where run_id = %(run)s
        union all
        select account_id, currency, total, false
        from billing_invoice
        where period_start = %(before)s and kind = 'periodic' and not shadow and status not in ('draft', 'void')
    ) both_months
    group by account_id, currency
), moved as (
    select account_id, currency, coalesce(amount, 0) as amount, coalesce(before, 0) as before,
           row_number() over (partition by currency order by abs(coalesce(amount, 0) - coalesce(before, 0)) desc,
                              account_id) as place
    from bills
    where coalesce(amount, 0) <> coalesce(before, 0)
)
select account.code, account.name, moved.currency, moved.amount, moved.before, coalesce(roster.outcome, ''),
       roster.invoice_id
from moved
join accounts_account account on account.id = moved.account_id
left join billing_runaccount roster on roster.run_id = %(run)s and roster.account_id = moved.account_id
where moved.place <= %(limit)s
order by moved.currency, moved.place
