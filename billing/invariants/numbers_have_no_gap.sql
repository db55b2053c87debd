-- R-21 Every number of a series names one document, and no document is outside its series.
select s.code, n.kind, n.year, n.last, count(d.number) as documents, max(d.counter) as highest
from billing_numberseries n
join billing_seller s on s.id = n.seller_id
left join lateral (
    select i.number, substring(i.number from '[0-9]+$')::bigint as counter
    from billing_invoice i
    where n.kind = 'invoice' and i.seller_id = n.seller_id and i.number is not null
      and extract(year from i.issued_on) = n.year
    union all
    select c.number, substring(c.number from '[0-9]+$')::bigint
    from billing_creditnote c join billing_invoice i on i.id = c.invoice_id
    where n.kind = 'credit_note' and i.seller_id = n.seller_id and extract(year from c.issued_on) = n.year) d on true
group by s.code, n.kind, n.year, n.last
having count(d.number) <> n.last or coalesce(max(d.counter), 0) <> n.last or count(distinct d.counter) <> n.last
