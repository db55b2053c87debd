-- R-24 Money settles only invoices of its own account and currency.
select a.id as allocation, p.id as payment, i.number as invoice
from collections_allocation a
join collections_payment p on p.id = a.payment_id
join billing_invoice i on i.id = a.invoice_id
where i.account_id <> p.account_id or i.currency <> p.currency or i.status = 'draft'
