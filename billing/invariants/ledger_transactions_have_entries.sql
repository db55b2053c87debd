-- R-02 Every ledger transaction has two entries at least, and every entry a transaction.
select coalesce(t.id, e.transaction_id) as transaction, count(e.id) as entries
from billing_ledgertransaction t full join billing_ledgerentry e on e.transaction_id = t.id
group by t.id, e.transaction_id
having t.id is null or count(e.id) < 2
