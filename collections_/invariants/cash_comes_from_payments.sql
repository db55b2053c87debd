-- R-31 No cash is in the ledger that no payment brought.
select t.id as transaction, t.source_type, t.source_id, e.amount, e.currency
from billing_ledgerentry e join billing_ledgertransaction t on t.id = e.transaction_id
where e.ledger_account = 'cash' and t.source_type = 'payment'
    and not exists (
        select 1 from collections_payment p
        where p.id = t.source_id and p.account_id = t.account_id and p.currency = e.currency)
