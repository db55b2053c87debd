-- R-31 Each payment is in the ledger exactly once, as cash of its amount.
select p.id as payment, p.amount, l.posted, l.amount as posted_amount
from collections_payment p
left join lateral (
    select count(distinct t.id) as posted, sum(e.amount) filter (where e.ledger_account = 'cash') as amount
    from billing_ledgertransaction t join billing_ledgerentry e on e.transaction_id = t.id
    where t.source_type = 'payment' and t.source_id = p.id and t.kind = 'capture' and e.currency = p.currency) l on true
where l.posted <> 1 or l.amount is distinct from p.amount
