-- R-17 An account has one contract at a time in each currency, whose own prices are valid as long as it is.
select a.account_id as account, a.id as contract, b.id as other, null::bigint as price
from billing_contract a
join billing_contract b on b.account_id = a.account_id and b.currency = a.currency and b.id > a.id
    and daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)
union all
select c.account_id, c.id, null, p.id
from billing_price p
join billing_contract c on c.id = p.contract_id
where (p.currency, p.valid_from at time zone 'UTC', p.valid_to at time zone 'UTC')
      is distinct from (c.currency, c.valid_from::timestamp, c.valid_to::timestamp)
