-- R-31 Each refund that succeeded is in the ledger exactly once, as cash that went out, and no other one is.
select r.id as refund, r.key, r.outcome, r.amount, l.posted, l.amount as posted_amount
from collections_refund r
join collections_payment p on p.id = r.payment_id
left join lateral (
    select count(distinct t.id) as posted, -sum(e.amount) filter (where e.ledger_account = 'cash') as amount
    from billing_ledgertransaction t join billing_ledgerentry e on e.transaction_id = t.id
    where t.source_type = 'refund' and t.source_id = r.id and e.currency = p.currency) l on true
where case when r.outcome = 'succeeded' then l.posted <> 1 or l.amount is distinct from r.amount else l.posted <> 0 end
