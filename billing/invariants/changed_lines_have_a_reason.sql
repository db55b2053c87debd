-- R-25 A line that charges something else than rating says carries who changed it and why.
select id as line, invoice_id as invoice, amount, rated
from billing_invoiceline
where (kind = 'manual') <> (rated is null)
   or (rated is distinct from amount and (reason = '' or author = ''))
