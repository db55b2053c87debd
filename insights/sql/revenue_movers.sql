-- Accounts whose invoice changed most between two months. Parameters: month, before (first days), limit.
-- Reads billing_invoice, accounts_account. Locks nothing.
with bill as (
    select account_id, currency,
           coalesce(sum(subtotal - credits) filter (where period_start = %(month)s), 0) as amount,
           coalesce(sum(subtotal - credits) filter (where period_start = %(before)s), 0) as before
    from billing_invoice
    where status not in ('draft', 'void') and period_start in (%(month)s, %(before)s)
    group by account_id, currency)
select account.code, account.name, bill.currency, bill.amount, bill.before
from bill join accounts_account account on account.id = bill.account_id
where bill.amount <> bill.before
order by abs(bill.amount - bill.before) desc, account.code
limit %(limit)s
