-- Invoices issued for one month, and documents rendered altogether. Parameters: month (first day).
-- Reads billing_invoice, billing_document. Locks nothing. Repeatable.
select (select count(*) from billing_invoice where status not in ('draft', 'void') and period_start = %(month)s),
       (select count(*) from billing_document where state = 'done')
