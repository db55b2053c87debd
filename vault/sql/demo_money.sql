-- Issued invoices by currency with what is paid and past due. Parameters: today (date).
-- Reads billing_invoice. Locks nothing. Repeatable.
select currency, count(*), sum(total), sum(settled), coalesce(sum(outstanding) filter (where due_on < %(today)s and status = 'open'), 0)
from billing_invoice where status not in ('draft', 'void') group by currency order by currency
