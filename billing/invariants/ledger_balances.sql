-- R-01 Every ledger transaction balances in each currency.
select e.transaction_id as transaction, e.currency, sum(e.amount) as difference
from billing_ledgerentry e
group by e.transaction_id, e.currency
having sum(e.amount) <> 0
