-- R-17 At any moment a product has one price at most in each currency, of the list and of each contract.
select a.product_id as product, a.currency, a.contract_id as contract, a.id as one, b.id as other
from billing_price a
join billing_price b on b.product_id = a.product_id and b.currency = a.currency and b.id > a.id
    and b.contract_id is not distinct from a.contract_id
    and tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)
