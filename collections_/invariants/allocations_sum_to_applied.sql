-- R-28 What a payment says was applied is its allocations less what chargebacks undid, and never more than came in.
select p.id as payment, p.amount, p.applied, p.refunded, coalesce(a.amount, 0) - coalesce(r.amount, 0) as allocated
from collections_payment p
left join (select payment_id, sum(amount) as amount from collections_allocation group by payment_id) a
    on a.payment_id = p.id
left join (select o.payment_id, sum(v.amount) as amount
           from collections_allocationreversal v join collections_allocation o on o.id = v.allocation_id
           group by o.payment_id) r on r.payment_id = p.id
where p.applied <> coalesce(a.amount, 0) - coalesce(r.amount, 0) or p.applied + p.refunded > p.amount
