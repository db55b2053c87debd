-- Ledger entries with their transaction's head. Parameters: since, until (dates or null; until exclusive).
-- Reads billing_ledgertransaction, billing_ledgerentry, accounts_account. Locks nothing.
select t.id, t.effective_on, t.source_type || ' ' || t.source_id || ' ' || t.kind, a.code, e.ledger_account, e.currency, e.amount
from billing_ledgertransaction t
join billing_ledgerentry e on e.transaction_id = t.id
join accounts_account a on a.id = t.account_id
where (%(since)s::date is null or t.effective_on >= %(since)s::date)
  and (%(until)s::date is null or t.effective_on < %(until)s::date)
order by t.effective_on, t.id, e.id
