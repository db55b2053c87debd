-- R-22 Within a series a later number is not dated before an earlier one.
select number, issued_on, before
from (select number, issued_on,
             lag(issued_on) over (partition by seller_id, extract(year from issued_on)
                                  order by substring(number from '[0-9]+$')::bigint) as before
      from billing_invoice where number is not null) numbered
where issued_on < before
