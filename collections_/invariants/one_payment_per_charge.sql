-- R-30 A charge that succeeded has exactly one payment of what was captured, and no other charge has any.
select t.key, t.outcome, t.amount, t.captured, p.id as payment, p.amount as paid
from collections_chargeattempt t left join collections_payment p on p.attempt_id = t.id
where (t.outcome = 'succeeded') <> (p.id is not null)
    or p.amount <> t.captured or p.currency <> t.captured_currency or p.reference <> t.gateway_charge_id
