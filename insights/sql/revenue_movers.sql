-- Accounts whose invoice changed most between two months, the first of each currency. Parameters: month, before
-- (first days), limit (per currency).
-- Reads billing_invoice, accounts_account. Locks nothing.
with bill as (
    select account_id, currency,
           coalesce(sum(subtotal - credits) filter (where period_start = %(month)s), 0) as amount,
           coalesce(sum(subtotal - credits) filter (where period_start = %(before)s), 0) as before
    from billing_invoice
    where status not in ('draft', 'void') and period_start in (%(month)s, %(before)s)
    group by account_id, currency),
ranked as (
    select *, row_number() over (partition by currency order by abs(amount - before) desc, account_id) as place
    from bill where amount <> before)
select account.code, account.name, ranked.currency, ranked.amount, ranked.before
from ranked join accounts_account account on account.id = ranked.account_id
where place <= %(limit)s
order by ranked.currency, place
