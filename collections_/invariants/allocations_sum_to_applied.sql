-- R-28 What a payment says was applied is the sum of its allocations, and never more than came in.
select p.id as payment, p.amount, p.applied, p.refunded, coalesce(sum(a.amount), 0) as allocated
from collections_payment p left join collections_allocation a on a.payment_id = p.id
group by p.id
having p.applied <> coalesce(sum(a.amount), 0) or p.applied + p.refunded > p.amount
