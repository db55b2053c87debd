-- R-08 The ledger's unapplied cash is what payments have left, per account and currency.
select coalesce(l.account_id, p.account_id) as account, coalesce(l.currency, p.currency) as currency,
    coalesce(l.amount, 0) as ledger, coalesce(p.amount, 0) as payments
from (
    select t.account_id, e.currency, -sum(e.amount) as amount
    from billing_ledgerentry e join billing_ledgertransaction t on t.id = e.transaction_id
    where e.ledger_account = 'unapplied'
    group by t.account_id, e.currency) l
full join (
    select account_id, currency, sum(amount - applied - refunded) as amount
    from collections_payment group by account_id, currency) p
    on p.account_id = l.account_id and p.currency = l.currency
where coalesce(l.amount, 0) <> coalesce(p.amount, 0)
