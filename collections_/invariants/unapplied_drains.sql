-- R-08 The ledger's unapplied cash is what payments have left, and what refunds under way will take, per account.
select coalesce(l.account_id, p.account_id) as account, coalesce(l.currency, p.currency) as currency,
    coalesce(l.amount, 0) as ledger, coalesce(p.amount, 0) as payments
from (
    select t.account_id, e.currency, -sum(e.amount) as amount
    from billing_ledgerentry e join billing_ledgertransaction t on t.id = e.transaction_id
    where e.ledger_account = 'unapplied'
    group by t.account_id, e.currency) l
full join (
    select m.account_id, m.currency, sum(m.amount - m.applied - m.refunded + coalesce(r.amount, 0)) as amount
    from collections_payment m
    left join (select payment_id, sum(amount) as amount from collections_refund
               where outcome in ('created', 'submitting', 'unknown', 'manual') group by payment_id) r
        on r.payment_id = m.id
    group by m.account_id, m.currency) p
    on p.account_id = l.account_id and p.currency = l.currency
where coalesce(l.amount, 0) <> coalesce(p.amount, 0)
