-- R-06 What the ledger says an account owes is what its open invoices have outstanding.
select coalesce(l.account_id, o.account_id) as account, coalesce(l.currency, o.currency) as currency,
       coalesce(l.amount, 0) as ledger, coalesce(o.amount, 0) as outstanding
from (select t.account_id, e.currency, sum(e.amount) as amount
      from billing_ledgertransaction t join billing_ledgerentry e on e.transaction_id = t.id
      where e.ledger_account = 'receivable' group by t.account_id, e.currency) l
full join (select account_id, currency, sum(outstanding) as amount
           from billing_invoice where status = 'open' group by account_id, currency) o
    on o.account_id = l.account_id and o.currency = l.currency
where coalesce(l.amount, 0) <> coalesce(o.amount, 0)
