-- R-31 Each chargeback is in the ledger exactly once, as cash that went out, and its payment counts it as returned.
select c.id as chargeback, c.reference, c.amount, l.posted, l.amount as posted_amount, p.refunded
from collections_chargeback c
join collections_payment p on p.id = c.payment_id
left join lateral (
    select count(distinct t.id) as posted, -sum(e.amount) filter (where e.ledger_account = 'cash') as amount
    from billing_ledgertransaction t join billing_ledgerentry e on e.transaction_id = t.id
    where t.source_type = 'chargeback' and t.source_id = c.id and e.currency = p.currency) l on true
where l.posted <> 1 or l.amount is distinct from c.amount
   or p.refunded < (select sum(o.amount) from collections_chargeback o where o.payment_id = p.id)
