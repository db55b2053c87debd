-- The accounts of a run whose bill moved most since the month before, largest first in each currency.
-- Parameters: run, before (a first day), limit (per currency). A held or failed account keeps its outcome.
-- Reads billing_invoice, billing_runaccount, accounts_account. Locks: none. Repeatable: a read.
-- An account has one invoice per run and currency, and one periodic one per month that is not void.
with this as materialized (
    select account_id, currency, total from billing_invoice where run_id = %(run)s
), before as materialized (
    select account_id, currency, total from billing_invoice
    where period_start = %(before)s and kind = 'periodic' and not shadow and status not in ('draft', 'void')
), moved as materialized (
    select account_id, currency, coalesce(this.total, 0) as amount, coalesce(before.total, 0) as before
    from this full join before using (account_id, currency)
    where coalesce(this.total, 0) <> coalesce(before.total, 0)
)
select account.code, account.name, most.currency, most.amount, most.before, coalesce(roster.outcome, ''),
       roster.invoice_id
from (select distinct currency from moved) each
cross join lateral (
    select * from moved where currency = each.currency order by abs(amount - before) desc, account_id limit %(limit)s
) most
join accounts_account account on account.id = most.account_id
left join billing_runaccount roster on roster.run_id = %(run)s and roster.account_id = most.account_id
order by most.currency, abs(most.amount - most.before) desc, most.account_id
