-- Issued invoices by month and currency. Parameters: start, end (first days; end exclusive).
-- Reads billing_invoice. Locks nothing. Repeatable for the same state of the books.
select period_start, currency, count(*), sum(subtotal - credits - credited), sum(tax), sum(total), sum(settled), sum(outstanding)
from billing_invoice
where status not in ('draft', 'void') and period_start >= %(start)s and period_start < %(end)s
group by period_start, currency
order by period_start, currency
